-- wrk's own way to think between requests, to choose what is sent, and to look at answers.
-- Every second it prints what its one thread has seen; at the end wrk's own count of what failed.
-- Once the file STOP is there no connection asks any more, so that what is in flight can end: wrk
-- itself drops that, and counts it nowhere. Each connection that rests then says so.
local methods, bodies, turn = {}, {}, 0
for method, size in os.getenv("MIX"):gmatch("(%a+):(%d+)") do
  methods[#methods + 1] = method
  bodies[#bodies + 1] = string.rep("x", tonumber(size))
end
local think = tonumber(os.getenv("THINK")) * 1000
local forever = 3600 * 1000
local allowed = {}
for _, body in ipairs(bodies) do allowed[#body] = body end
-- global: `done` reads them from the thread
asked, answers, statuses, wrong = 0, 0, 0, 0
local second, begun = 0, false

local function say(...)
  print(string.format(...))
  io.stdout:flush()
end

local function stopped()
  local file = io.open(os.getenv("STOP"))
  if file then file:close() end
  return file ~= nil
end

function setup(thread) worker = thread end

function delay()
  begun = true
  if stopped() then
    say("resting")
    return forever
  end
  return think * (0.5 + math.random())
end

function request()
  -- wrk asks once to see whether the script works, before any connection has thought.
  if begun then asked = asked + 1 end
  turn = turn % #methods + 1
  return wrk.format(methods[turn], wrk.path, nil, bodies[turn])
end

function response(status, headers, body)
  answers = answers + 1
  if status < 200 or status > 299 then
    statuses = statuses + 1
  elseif body ~= allowed[#body] then
    wrong = wrong + 1
  end
  if os.time() > second then
    second = os.time()
    say("so_far %d %d %d", answers, statuses, wrong)
  end
end

function done(summary, latency, requests)
  local errors = summary.errors
  say("result %d %d %d %d %d %d %d %d", worker:get("asked") or 0, summary.requests,
    worker:get("statuses") or 0, worker:get("wrong") or 0,
    errors.connect, errors.read, errors.write, errors.timeout)
end
