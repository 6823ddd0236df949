EXTRA_DIST += %D%/README %D%/json.sh %D%/shell.sh

# The longest first: mostly waiting, it runs beside the others.
include %D%/system/local.mk
include %D%/unit/local.mk
include %D%/fuzz/local.mk
include %D%/gate/local.mk
include %D%/faults/local.mk
include %D%/tree/local.mk
include %D%/integration/local.mk
include %D%/soak/local.mk
include %D%/bench/local.mk
include %D%/packages/local.mk
include %D%/vm/local.mk
