#include <dirent.h>
#include <string.h>
#include "staged.h"

bool
staged_kernel(const char *folder, const char *running, char out[static RELEASE_TEXT])
{
	static const char prefix[] = "vmlinuz-";
	DIR *d = opendir(folder);
	char newest[RELEASE_TEXT] = "";
	const struct dirent *entry;
	bool known = false;

	while (d && (entry = readdir(d))) {
		const char *release = entry->d_name + sizeof(prefix) - 1;

		if (strncmp(entry->d_name, prefix, sizeof(prefix) - 1) || strlen(release) >= RELEASE_TEXT || strstr(release, ".dpkg"))
			continue;
		known |= !strcmp(release, running);
		if (strverscmp(release, newest) > 0)
			strcpy(newest, release);
	}
	if (d)
		closedir(d);
	if (!known || strverscmp(newest, running) <= 0)
		return false;
	strcpy(out, newest);
	return true;
}
