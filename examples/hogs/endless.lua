-- SPDX-License-Identifier: MIT
-- endless.lua - a script that never ends and never yields
--
--	goad run --for 5s -n 2 lua endless.lua

local n, sum = 0, 0.0
while true do
	n = n + 1
	sum = sum + 1 / (n * n)
end
