-- Take a place, or wait in line. KEYS[1]: prefix of this lock, KEYS[2]: the counter of tokens.
-- ARGV: id, info, lease in µs, limit, patience in µs (0: do not wait in line).
-- Returns {1, token, now} or {0, how many are before us, µs until the first holder's lease ends, infos…}.
local p, id = KEYS[1], ARGV[1]
local function text(n) return string.format('%.0f', n) end
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
for _, dead in ipairs(redis.call('ZRANGE', p .. 'held', '-inf', text(now), 'BYSCORE')) do
  redis.call('ZREM', p .. 'held', dead)
  redis.call('HDEL', p .. 'info', dead)
end
for _, dead in ipairs(redis.call('ZRANGE', p .. 'alive', '-inf', text(now), 'BYSCORE')) do
  redis.call('ZREM', p .. 'alive', dead)
  redis.call('ZREM', p .. 'line', dead)
end
local free = tonumber(ARGV[4]) - redis.call('ZCARD', p .. 'held')
local before = redis.call('ZRANK', p .. 'line', id) or redis.call('ZCARD', p .. 'line')
local mine = redis.call('ZSCORE', p .. 'held', id)
if mine or before < free then
  redis.call('ZREM', p .. 'line', id)
  redis.call('ZREM', p .. 'alive', id)
  -- The time is the floor: after a flush the tokens still only rise.
  local token = text(math.max(tonumber(redis.call('GET', KEYS[2]) or '0'), now) + 1)
  redis.call('SET', KEYS[2], token, 'EX', 86400)
  redis.call('ZADD', p .. 'held', text(now + ARGV[3]), id)
  redis.call('HSET', p .. 'info', id, token .. '|' .. text(now) .. '|' .. ARGV[2])
  return {'1', token, text(now)}
end
if tonumber(ARGV[5]) > 0 then
  redis.call('ZADD', p .. 'line', 'NX', text(now), id)
  redis.call('ZADD', p .. 'alive', text(now + ARGV[5]), id)
end
local first = redis.call('ZRANGE', p .. 'held', 0, 0, 'WITHSCORES')[2]
local out = {'0', tostring(before), text(first and math.max(tonumber(first) - now, 0) or 0)}
for _, info in ipairs(redis.call('HVALS', p .. 'info')) do out[#out + 1] = info end
return out
