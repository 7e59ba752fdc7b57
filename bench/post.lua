-- wrk script: posts one prepared body after another, each once. BODIES: a file of JSON lines; FIRST, LAST: which of them.
local bodies = {}
local first = tonumber(os.getenv("FIRST") or "0")
local last = tonumber(os.getenv("LAST") or "1000000000")
local n = 0
for line in io.lines(os.getenv("BODIES")) do
  if n >= last then break end
  if n >= first then bodies[#bodies + 1] = line end
  n = n + 1
end
local headers = { ["Content-Type"] = "application/json", ["Authorization"] = "Bearer " .. (os.getenv("TOKEN") or "") }
local used = 0
request = function()
  used = used + 1
  return wrk.format("POST", nil, headers, bodies[used] or "{}")
end
done = function(summary, latency, _)
  local bad = summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
  io.write(string.format('{"requests": %d, "seconds": %.6f, "errors": %d, "p50_ms": %.3f, "p99_ms": %.3f}\n',
    summary.requests, summary.duration / 1e6, bad, latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
