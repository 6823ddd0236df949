/* facts_json.h - facts as JSON: "facts" of `inspect eventlog` and of `explain`. Each has its "binding". */
#ifndef FACTS_JSON_H
#define FACTS_JSON_H
#include "facts.h"
#include "json.h"

struct json *facts_json(const struct boot_facts *);
#endif
