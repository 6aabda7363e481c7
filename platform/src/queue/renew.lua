-- Push back the deadlines of leases still held. KEYS[1]: prefix. ARGV: lease in µs, then id, token of each.
local p = KEYS[1]
local t = redis.call('TIME')
local deadline = string.format('%.0f', t[1] * 1000000 + t[2] + ARGV[1])
local out = {}
for i = 2, #ARGV, 2 do
  local held = redis.call('HGET', p .. 'lease', ARGV[i]) == ARGV[i + 1]
  if held then redis.call('ZADD', p .. 'running', deadline, ARGV[i]) end
  out[#out + 1] = held and 1 or 0
end
return out
