#!/bin/bash
# attest-recipes(7) says what the recipes say, and the recipes what was tried: the page is the one that recipes/page prints, each
# recipe is used by the test that it names, which knows what the user sees, and each is installed. The gate's line is one text.
set -u
passed=0 failed=0
note() { echo "$1"; failed=$((failed + 1)); }
good() { passed=$((passed + 1)); }
recipes=$top_srcdir/recipes

if "$recipes/page" | cmp - "$top_srcdir/man/attest-recipes.7"; then good; else note "run: recipes/page >man/attest-recipes.7"; fi

for folder in "$recipes"/*/; do
	name=${folder%/} name=${name##*/}
	about=$folder/about
	title=$(sed -n 's/^title: //p' "$about" | tr '[:lower:]' '[:upper:]')
	if [ -n "$title" ] && grep -qxF ".Sh $title" "$top_srcdir/man/attest-recipes.7"; then good; else note "$name: not on the page"; fi
	for file in $(cd "$top_srcdir" && find "recipes/$name" -type f | sed 's|^recipes|%D%|'); do
		if grep -qw -- "$file" "$recipes/local.mk"; then good; else note "$file: not installed"; fi
	done
	tested=$(sed -nE 's/^tested: ([^ ,]+).*/\1/p' "$about") sees=$(sed -n 's/^sees: //p' "$about") door=$(sed -n 's/^door: //p' "$about")
	case $tested in
	no) good; continue ;;
	tests/*.sh) ;;
	*) note "$name: tested by what?"; continue ;;
	esac
	# By its name in the test itself, or as one of the doors that machine.sh makes.
	if grep -qE "(recipe|unit|gateway_conf [^ ]+) $name\b" "$top_srcdir/$tested" || { [ "$tested" = tests/system/doors.sh ] &&
	    grep -q "^DOORS=.*\b$name\b" "$top_srcdir/tests/system/machine.sh"; }; then good; else note "$name: $tested does not use it"; fi
	if [ -n "$door" ]; then
		if grep -qxF "$door" "$top_srcdir/tests/system/doors.table"; then good; else note "$name: no row $door"; fi
	else
		case $sees in
		nothing*) good; continue ;;
		esac
		# Word for word, or read out of the recipe by the test.
		if grep -qF "$(sed 's/Ref .*//' <<<"$sees")" "$top_srcdir/$tested" || grep -q "sees: .*recipes/$name/about" "$top_srcdir/$tested"; then
			good
		else
			note "$name: $tested does not see: $sees"
		fi
	fi
done

# One of two texts, wherever it is said.
lines=$(cat "$recipes/sshd/etc/pam.d/sshd.part" "$recipes/sudo/etc/pam.d/sudo.part")
while IFS= read -r line; do
	if grep -qxF -- "$line" <<<"$lines"; then good; else note "another line of the gate: $line"; fi
done < <(grep -rhE '^account.*pam_attest.so' "$top_srcdir"/man "$top_srcdir/README.md" "$recipes"/*/etc; \
	sed -nE 's/^#define PAM_GATE_LINE[A-Z_]* +"([^"]*)" PAM_GATE_MODULE/\1pam_attest.so/p' "$top_srcdir/pam_attest/attestctl/pam_edit.h")
[ $passed -gt 100 ] || note "only $passed things were found"
echo "$passed passed, $failed failed"
[ $failed = 0 ]
