-- wrk script: posts registrations of people who aren't there yet, each once; every REPEAT-th is of somebody who is.
-- BODIES: a file of JSON lines with @NIK@ and @BIRTH@; FIRST: number of the first person; KNOWN: so many from 0 on are there.
local bodies = {}
for line in io.lines(os.getenv("BODIES")) do bodies[#bodies + 1] = line end
local first = tonumber(os.getenv("FIRST") or "0")
local known = tonumber(os.getenv("KNOWN") or "0")
local rep = tonumber(os.getenv("REPEAT") or "0")
local headers = { ["Content-Type"] = "application/json", ["Authorization"] = "Bearer " .. (os.getenv("TOKEN") or "") }
local used = 0
local function body(n)
  local day, month = 1 + n % 28, 1 + math.floor(n / 28) % 12
  local year, serial = 40 + math.floor(n / 336) % 60, 1 + math.floor(n / 20160) % 9999
  local nik = string.format("317101%02d%02d%02d%04d", day, month, year, serial)
  local birth = string.format("19%02d-%02d-%02d", year, month, day)
  return (bodies[1 + n % #bodies]:gsub("@NIK@", nik):gsub("@BIRTH@", birth))
end
request = function()
  used = used + 1
  local n = first + used
  if rep > 0 and used % rep == 0 then n = (used * 7919) % known end
  return wrk.format("POST", nil, headers, body(n))
end
done = function(summary, latency, _)
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %d, "seconds": %.6f, "refused": %d, "failed": %d, "p50_ms": %.3f, "p99_ms": %.3f}\n',
    summary.requests, summary.duration / 1e6, errors.status, errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
