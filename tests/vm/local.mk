# Real boots under QEMU, minutes long: by scripts/test, or by hand, tests/vm/boots.sh
EXTRA_DIST += %D%/README %D%/boots.sh %D%/boots.table %D%/boot.sh %D%/build.sh %D%/guest_init \
	%D%/jobs/bootvars %D%/jobs/dbx
