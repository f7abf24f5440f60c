-- Deletes a dead letter. ARGV[1]: its id. Answers 1 when there was one, otherwise 0.

return delete_letter(ARGV[1]) and 1 or 0
