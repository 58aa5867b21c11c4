-- Deposits of 0.01. LEFTFOLD_ACCOUNTS: spread over so many accounts (1: one hot account); LEFTFOLD_IDS=1: each with an
-- Idempotency-Key of its own, as a client that may have to repeat sends it. What wrk itself costs is kept small, so that
-- the server is measured: requests are glued from parts made once.

local accounts = tonumber(os.getenv("LEFTFOLD_ACCOUNTS") or "1000")
local with_ids = os.getenv("LEFTFOLD_IDS") == "1"
local run = os.getenv("LEFTFOLD_RUN") or tostring(os.time())
local body = '{"amount": "0.01"}'
local heads = {}
local tail = "\r\nContent-Length: " .. #body .. "\r\n\r\n" .. body
local thread_count = 0
local sent = 0

-- Threads share nothing, so each is told its number for the ids.
function setup(thread)
    thread:set("number", thread_count)
    thread_count = thread_count + 1
end

function init(args)
    for i = 0, accounts - 1 do
        local head = "POST /accounts/bench-" .. i .. "/deposit HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json"
        heads[i] = with_ids and head .. "\r\nIdempotency-Key: " .. run .. "-" .. number .. "-" or head .. tail
    end
end

function request()
    sent = sent + 1
    local head = heads[sent % accounts]
    return with_ids and head .. sent .. tail or head
end
