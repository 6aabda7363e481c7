-- End leases. KEYS[1]: prefix. ARGV: wake channel, then of each: id, token, delay in µs (-1: done), done|again|failed|back.
-- A stale token changes nothing.
local p = KEYS[1]
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local out, wake = {}, false
for i = 2, #ARGV, 4 do
  local id, how = ARGV[i], ARGV[i + 3]
  local held = redis.call('HGET', p .. 'lease', id) == ARGV[i + 1]
  if held then
    redis.call('ZREM', p .. 'running', id)
    redis.call('HDEL', p .. 'lease', id)
    local due = tonumber(ARGV[i + 2])
    due = due >= 0 and now + due or nil
    local again = tonumber(redis.call('HGET', p .. 'again', id) or nil)
    if again then
      redis.call('HDEL', p .. 'again', id)
      due = due and math.min(due, again) or again
    end
    if how == 'back' then
      if redis.call('HINCRBY', p .. 'attempts', id, -1) <= 0 then redis.call('HDEL', p .. 'attempts', id) end
    elseif how ~= 'failed' then
      redis.call('HDEL', p .. 'attempts', id)
    end
    if due then
      redis.call('ZADD', p .. 'waiting', string.format('%.0f', due), id)
      wake = true
    else
      redis.call('HDEL', p .. 'jobs', id)
    end
  end
  out[#out + 1] = held and 1 or 0
end
if wake then redis.call('PUBLISH', ARGV[1], 1) end
return out
