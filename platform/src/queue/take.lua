-- Lease due jobs: those whose holder died first. KEYS[1]: prefix. ARGV: how many, lease in µs.
-- Returns now, when to look again (0: nothing known), then per job: id, payload, token, attempt, due, redelivered.
local p, want = KEYS[1], tonumber(ARGV[1])
local function text(n) return string.format('%.0f', n) end
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local deadline = text(now + ARGV[2])
-- The time is the floor: after a flush the tokens still only rise.
local token = math.max(tonumber(redis.call('GET', p .. 'token') or '0'), now)
local out, taken = {text(now), '0'}, 0
local function claim(id, due, redelivered)
  local payload = redis.call('HGET', p .. 'jobs', id)
  if not payload then
    redis.call('ZREM', p .. 'running', id)
    redis.call('HDEL', p .. 'lease', id)
    redis.call('HDEL', p .. 'attempts', id)
    return
  end
  token, taken = token + 1, taken + 1
  redis.call('ZADD', p .. 'running', deadline, id)
  redis.call('HSET', p .. 'lease', id, text(token))
  local attempt = redis.call('HINCRBY', p .. 'attempts', id, 1)
  for _, v in ipairs({id, payload, text(token), tostring(attempt), due, redelivered}) do out[#out + 1] = v end
end
local expired = redis.call('ZRANGE', p .. 'running', '-inf', text(now), 'BYSCORE', 'LIMIT', 0, want, 'WITHSCORES')
for i = 1, #expired, 2 do claim(expired[i], expired[i + 1], '1') end
if taken < want then
  local due = redis.call('ZRANGE', p .. 'waiting', '-inf', text(now), 'BYSCORE', 'LIMIT', 0, want - taken, 'WITHSCORES')
  for i = 1, #due, 2 do
    redis.call('ZREM', p .. 'waiting', due[i])
    claim(due[i], due[i + 1], '0')
  end
end
if taken > 0 then redis.call('SET', p .. 'token', text(token), 'EX', 86400) end
local waiting = redis.call('ZRANGE', p .. 'waiting', 0, 0, 'WITHSCORES')[2]
local running = redis.call('ZRANGE', p .. 'running', 0, 0, 'WITHSCORES')[2]
if waiting and running then
  out[2] = text(math.min(tonumber(waiting), tonumber(running)))
else
  out[2] = waiting or running or '0'
end
return out
