-- Deletes a dead letter. ARGV[1]: the id. Returns 1 when the letter existed, otherwise 0.

return delete_letter(ARGV[1]) and 1 or 0
