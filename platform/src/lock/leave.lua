-- Let go, of the lock or of the place in its line. KEYS[1]: prefix of this lock. ARGV: id, wake channel.
local p, id = KEYS[1], ARGV[1]
local held = redis.call('ZREM', p .. 'held', id)
redis.call('HDEL', p .. 'info', id)
redis.call('ZREM', p .. 'line', id)
redis.call('ZREM', p .. 'alive', id)
if redis.call('ZCARD', p .. 'line') > 0 then redis.call('PUBLISH', ARGV[2], 1) end
return held
