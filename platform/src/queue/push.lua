-- Queue a job, or bring it forward. KEYS[1]: prefix. ARGV: id, payload, delay in µs, limit, wake channel.
local p, id = KEYS[1], ARGV[1]
local t = redis.call('TIME')
local due = t[1] * 1000000 + t[2] + ARGV[3]
local text = string.format('%.0f', due)
if redis.call('ZSCORE', p .. 'running', id) then
  -- It runs now and may be past the point that this push is about: it is to run again afterwards.
  local again = redis.call('HGET', p .. 'again', id)
  if not again or due < tonumber(again) then redis.call('HSET', p .. 'again', id, text) end
  return {1, 0}
end
local queued = redis.call('ZSCORE', p .. 'waiting', id)
if queued and tonumber(queued) <= due then return {1, 0} end
if not queued then
  local count = redis.call('ZCARD', p .. 'waiting') + redis.call('ZCARD', p .. 'running')
  if count >= tonumber(ARGV[4]) then return {0, count} end
  redis.call('HSET', p .. 'jobs', id, ARGV[2])
end
-- Who sleeps has a timer for the first job; only an earlier one is news.
local first = redis.call('ZRANGE', p .. 'waiting', 0, 0, 'WITHSCORES')
redis.call('ZADD', p .. 'waiting', text, id)
if not first[2] or due < tonumber(first[2]) then redis.call('PUBLISH', ARGV[5], 1) end
return {1, 0}
