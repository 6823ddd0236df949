/* import_text.h - what `references import` sends: a file as it is, or the .pcrlock files of a folder as one text. */
#ifndef IMPORT_TEXT_H
#define IMPORT_TEXT_H
#include <stdbool.h>

/* path is a file or a folder; free *text. What is wrong is on stderr. */
bool import_text(const char *path, char **text);
#endif
