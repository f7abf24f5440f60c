-- Deletes keys of a tenant who does not live on this shard, if the shard is as expected. KEYS[2] and further: the keys.

if is_expected() then
  for at = 2, #KEYS do
    redis.call('UNLINK', KEYS[at])
  end
end
return {}
