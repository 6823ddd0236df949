#include <link.h>
#include <stdlib.h>
#include <string.h>
#include "landlock.h"
#include "programs.h"

static int
find_loader(struct dl_phdr_info *info, size_t size, void *out)
{
	const char **loader = out;

	(void)size;
	for (unsigned i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_INTERP)
			*loader = (const char *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
	return 1;       /* the program itself comes first; libraries do not matter */
}

const char *
program_loader(void)
{
	const char *loader = "";

	dl_iterate_phdr(find_loader, &loader);
	return loader;
}

const char *
folder_of(const char *file, char room[static PATH_MAX])
{
	char *slash;

	if (!realpath(file, room))
		strcpy(room, "/nonexistent/");
	slash = strrchr(room, '/');
	slash[slash == room] = '\0';
	return room;
}

bool
programs_only_with(const char *program, struct error *e)
{
	char room[2][PATH_MAX];
	const struct path_rule rules[] = {
		{ folder_of(program, room[0]), PATH_EXECUTE }, { folder_of(program_loader(), room[1]), PATH_EXECUTE },
	};

	return landlock_enter(PATH_EXECUTE, rules, sizeof(rules) / sizeof(rules[0]), e);
}
