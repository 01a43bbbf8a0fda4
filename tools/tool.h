/* SPDX-License-Identifier: MIT */
/* tool.h - the subcommands, each with the arguments after its name */
#ifndef GOAD_TOOLS_TOOL_H
#define GOAD_TOOLS_TOOL_H

int tool_bench (int argc, char **argv);
int tool_top (int argc, char **argv);
int tool_models (int argc, char **argv);
int tool_run (int argc, char **argv);
int tool_starve (int argc, char **argv);
int tool_trace (int argc, char **argv);

#endif
