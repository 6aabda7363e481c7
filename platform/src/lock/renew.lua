-- KEYS[1]: prefix of this lock. ARGV: id, lease in µs. Returns whether it is still held.
local t = redis.call('TIME')
if not redis.call('ZSCORE', KEYS[1] .. 'held', ARGV[1]) then return 0 end
redis.call('ZADD', KEYS[1] .. 'held', string.format('%.0f', t[1] * 1000000 + t[2] + ARGV[2]), ARGV[1])
return 1
