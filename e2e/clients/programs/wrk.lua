-- wrk's own way to think between requests, to choose what is sent, and to look at answers.
-- Every second it prints what its one thread has seen; at the end wrk's own count of what failed.
local methods, bodies, turn = {}, {}, 0
for method, size in os.getenv("MIX"):gmatch("(%a+):(%d+)") do
  methods[#methods + 1] = method
  bodies[#bodies + 1] = string.rep("x", tonumber(size))
end
local think = tonumber(os.getenv("THINK")) * 1000
local allowed = {}
for _, body in ipairs(bodies) do allowed[#body] = body end
answers, statuses, wrong = 0, 0, 0 -- global: `done` reads them from the thread
local second = 0

function setup(thread) worker = thread end

function delay() return think * (0.5 + math.random()) end

function request()
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
    print(string.format("so_far %d %d %d", answers, statuses, wrong))
    io.stdout:flush()
  end
end

function done(summary, latency, requests)
  local errors = summary.errors
  print(string.format("result %d %d %d %d %d %d %d", summary.requests,
    worker:get("statuses") or 0, worker:get("wrong") or 0,
    errors.connect, errors.read, errors.write, errors.timeout))
end
