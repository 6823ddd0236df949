#include <stdio.h>
#include <string.h>
#include "bench.h"
#include "crew.h"

/* The name of the program; a child that has not become one yet has its parent's. */
static void
name_of(pid_t pid, char out[static 16])
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	f = fopen(path, "r");
	if (f && fscanf(f, "%15s", out) != 1)
		out[0] = '\0';
	if (f)
		fclose(f);
}

static void
look_at(struct crew *c, pid_t pid)
{
	double cpu = bench_cpu_of(pid);
	unsigned i = 0;

	while (i < c->count && c->member[i].pid != pid)
		i++;
	need(i < CREW_MAX);
	if (cpu < 0)
		return;
	if (i == c->count || !strcmp(c->member[i].name, c->member[0].name))
		name_of(pid, c->member[i].name);
	c->member[i].pid = pid;
	c->member[i].cpu = cpu;
	c->count += i == c->count;
}

void
crew_look(struct crew *c)
{
	char path[64];
	FILE *f;
	int pid;

	look_at(c, c->main);
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)c->main, (int)c->main);
	f = fopen(path, "r");
	need(f);
	while (fscanf(f, "%d", &pid) == 1)
		look_at(c, pid);
	fclose(f);
}

double
crew_cpu(const struct crew *c, const char *name)
{
	double sum = 0;

	for (unsigned i = 0; i < c->count; i++)
		if (!name || !strcmp(c->member[i].name, name))
			sum += c->member[i].cpu;
	return sum;
}

static double
private_dirty(pid_t pid)
{
	char path[64], line[256];
	long kib = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
	f = fopen(path, "r");
	while (f && kib < 0 && fgets(line, sizeof(line), f))
		if (sscanf(line, "Private_Dirty: %ld kB", &kib) != 1)
			kib = -1;
	if (f)
		fclose(f);
	return (double)kib;
}

double
crew_private_dirty(const struct crew *c)
{
	double sum = 0;

	for (unsigned i = 0; i < c->count; i++) {
		double one;

		if (bench_cpu_of(c->member[i].pid) < 0)
			continue;
		one = private_dirty(c->member[i].pid);
		if (one < 0)
			return -1;
		sum += one;
	}
	return sum;
}
