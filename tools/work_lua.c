/* SPDX-License-Identifier: MIT */
/* work_lua.c - lua SCRIPT [ARG...]: a Lua script, in a state of its own for each
 * coroutine
 *
 * The script is read once before the run, so that its mistakes are found then.
 * What it returns becomes the result. */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "run.h"

extern const struct work work_lua;

#ifdef HAVE_LUA

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>
#include <string.h>

static int prepare (struct spec *spec)
{
	if (spec->argc < 2) {
		util_error ("'lua' needs a SCRIPT, as in 'lua endless.lua'");
		return TOOL_USAGE;
	}
	lua_State *lua = luaL_newstate ();
	if (lua == NULL)
		return TOOL_FAILED;
	int e = luaL_loadfile (lua, spec->argv[1]);
	if (e != LUA_OK)
		util_error ("lua: %s", lua_tostring (lua, -1));
	lua_close (lua);
	return e == LUA_OK ? 0 : TOOL_USAGE;
}

/* Adds the place where it happened to a message that lacks it. */
static int with_place (lua_State *lua)
{
	const char *message = lua_tostring (lua, 1);

	if (message == NULL)
		message = luaL_tolstring (lua, 1, NULL);
	luaL_traceback (lua, lua, message, 1);
	return 1;
}

/* As the lua program does it: arg[0] is the script, and the arguments after it are
 * both arg[1], ... and the "..." of the script. */
static void set_arguments (lua_State *lua, const struct spec *spec)
{
	lua_createtable (lua, spec->argc - 2, 1);
	for (int i = 1; i < spec->argc; i++) {
		lua_pushstring (lua, spec->argv[i]);
		lua_rawseti (lua, -2, i - 1);
	}
	lua_setglobal (lua, "arg");
}

static int run_script (lua_State *lua)
{
	const struct spec *spec = lua_touserdata (lua, 1);

	luaL_openlibs (lua);
	set_arguments (lua, spec);
	lua_settop (lua, 0);
	if (luaL_loadfile (lua, spec->argv[1]) != LUA_OK)
		return lua_error (lua);
	for (int i = 2; i < spec->argc; i++)
		lua_pushstring (lua, spec->argv[i]);
	lua_call (lua, spec->argc - 2, 1);
	luaL_tolstring (lua, -1, NULL);
	return 1;
}

static int body (struct task *task)
{
	lua_State *lua = luaL_newstate ();

	if (lua == NULL)
		return 1;
	/* Everything that may raise an error stands inside the protected call. */
	lua_pushcfunction (lua, with_place);
	lua_pushcfunction (lua, run_script);
	lua_pushlightuserdata (lua, task->spec);
	int e = lua_pcall (lua, 1, 1, 1);
	const char *s = lua_tostring (lua, -1);
	if (e == LUA_OK) {
		run_result (task, "%.140s", s != NULL && strcmp (s, "nil") != 0 ? s : "script ended");
	} else {
		util_error ("%s: %s", task->name, s != NULL ? s : "error without a message");
		size_t line = s != NULL ? strcspn (s, "\n") : 0;
		snprintf (task->result, sizeof task->result, "%.*s", (int) line, s != NULL ? s : "");
	}
	lua_close (lua);
	return e == LUA_OK ? 0 : 1;
}

const struct work work_lua = {
	.name = "lua",
	.args = "SCRIPT [ARG...]",
	.doc = "run a Lua script",
	.prepare = prepare,
	.body = body,
};

#else

const struct work work_lua = {
	.name = "lua",
	.args = "SCRIPT [ARG...]",
	.doc = "run a Lua script",
	.package = "liblua5.4-dev",
};

#endif
