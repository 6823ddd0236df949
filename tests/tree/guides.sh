#!/bin/sh
# What the guides tell people to type exists: each command that they and the README name, and each of its options.
set -u
passed=0 failed=0
note() { echo "$1"; failed=$((failed + 1)); }

# knows PROGRAM COMMAND: its --help, once.
knows() {
	file=$helps/$1.$2
	[ -e "$file" ] || {
		found=$(find "$top_builddir" -type f -name "$1" -perm -100 ! -path "$top_builddir/root/*" | head -n 1)
		"${found:-false}" "$2" --help >"$file" 2>&1 || rm -f "$file"
	}
	[ -e "$file" ]
}

helps=$(mktemp -d)
trap 'rm -rf "$helps"' EXIT
for f in "$top_srcdir"/man/attest-*.7 "$top_srcdir/README.md"; do
	# mdoc writes --for as "Fl -for", and puts what people type into literal lines or behind Ql, Dl and Li.
	sed -E 's/Fl -/--/g; s/\\-/-/g' "$f" | grep -oE '\b(attestctl|verifierctl) [a-z][a-z-]*[^|;`"]*' | grep -vE '^[a-z]+ (and|or|is|as|can|at|of|on|has|does|the|to|by|says|prints|it|with|alone|say|take)\b' >"$helps/said"
	while read -r program command rest; do
		command=${command%%[!a-z-]*}
		if ! knows "$program" "$command"; then
			note "${f##*/}: there is no $program $command"
			continue
		fi
		passed=$((passed + 1))
		for option in $(printf '%s\n' "$rest" | grep -oE '(^| )--[a-z][a-z0-9-]+'); do
			case $option in --json | --yes | --help) continue ;; esac
			if grep -q -- "$option" "$helps/$program.$command"; then
				passed=$((passed + 1))
			else
				note "${f##*/}: $program $command has no $option"
			fi
		done
	done <"$helps/said"
done
[ $passed -gt 50 ] || note "only $passed commands and options were found in the guides"
echo "$passed passed, $failed failed"
[ $failed = 0 ]
