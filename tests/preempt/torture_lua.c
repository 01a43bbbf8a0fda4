/* SPDX-License-Identifier: MIT */
/* tests/preempt/torture_lua.c - a Lua state in each coroutine */
#include "tests/preempt/torture.h"

#ifdef HAVE_LUA

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdlib.h>

/* Tables, strings, patterns, floats, closures, coroutines and errors of Lua's own. */
/* clang-format off */
static const char script[] =
	"local which = ...\n"
	"local s, t, sum = which * 7919 + 1, {}, 0.0\n"
	"local function rnd () s = (s * 1103515245 + 12345) % 2147483648; return s end\n"
	"for i = 1, 400 do t[i] = string.format ('%d:%x', rnd () % 1000, i) end\n"
	"table.sort (t)\n"
	"for i, v in ipairs (t) do\n"
	"  local a, b = v:match ('^(%d+):(%x+)$')\n"
	"  sum = sum + tonumber (a) / (tonumber (b, 16) + 1)\n"
	"end\n"
	"local co = coroutine.wrap (function () for i = 1, 100 do coroutine.yield (i * i) end end)\n"
	"for i = 1, 100 do sum = sum + math.sqrt (co ()) end\n"
	"for i = 1, 50 do\n"
	"  local ok, err = pcall (function () error ({ code = i }) end)\n"
	"  sum = sum + (ok and 1000 or err.code)\n"
	"end\n"
	"return string.format ('%.17g|', sum) .. table.concat (t, ','):sub (1, 200)\n";
/* clang-format on */

static void interpret (unsigned which, void *out)
{
	lua_State *L = luaL_newstate ();
	const char *text;
	size_t size;

	if (L == NULL)
		abort ();
	luaL_openlibs (L);
	memset (out, 0, 300);
	if (luaL_loadstring (L, script) != LUA_OK)
		abort ();
	lua_pushinteger (L, which);
	if (lua_pcall (L, 1, 1, 0) != LUA_OK)
		strncpy (out, "error", 300);
	else if ((text = lua_tolstring (L, -1, &size)) != NULL)
		memcpy (out, text, size < 300 ? size : 299);
	lua_close (L);
}

static const struct torture t = {
	.work = interpret, .size = 300, .yielded = 100, .handed_off = 50
};

Test (torture_lua, chosen, .timeout = 60)
{
	torture_auto (&t);
}

Test (torture_lua, handed_off, .timeout = 60)
{
	torture_handoff (&t);
}

#else

Test (torture_lua, chosen)
{
	cr_skip ("built without Lua");
}

#endif
