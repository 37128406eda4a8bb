# Native helpers of the host. Included by the Makefile of guest-agent/, whose folder is the current one; works alone too:
#   make -C guest-agent -f host/host.mk host
HOST_OUT := build
HOST_SRC := $(dir $(lastword $(MAKEFILE_LIST)))
HOST_CC ?= gcc
HOST_MUSL ?= musl-gcc
HOST_CLANG ?= clang
# It runs at every create from a directory, where a dynamic linker would take a tenth of it. `-pie` where libraries are shared only.
HOST_SEED_LINK ?= -static-pie
HOST_WARN := -std=c17 -D_GNU_SOURCE -Wall -Wextra -Werror -Wshadow -Wconversion -Wno-sign-conversion
HOST_SAN := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

HOST_COPY := $(addprefix $(HOST_SRC),copy.c copy-sparse.c)
HOST_SEED := $(sort $(wildcard $(HOST_SRC)seed-*.c))
HOST_PUT := $(sort $(wildcard $(HOST_SRC)put-*.c))
HOST_HEADERS := $(wildcard $(HOST_SRC)*.h)
# The tar parser and what it fills, without the image they end up in.
HOST_FUZZED := $(addprefix $(HOST_SRC),fuzz-tar.c seed-tar.c seed-pax.c seed-archive.c seed-tree.c)

.PHONY: all sanitized fuzz analyze host host-sanitized host-fuzz host-fuzz-run host-analyze
all: host
sanitized: host-sanitized
fuzz: host-fuzz
fuzz-run: host-fuzz-run
analyze: host-analyze
host: $(HOST_OUT)/pyro-seed $(HOST_OUT)/pyro-copy $(HOST_OUT)/pyro-tsc $(HOST_OUT)/pyro-put
host-sanitized: $(HOST_OUT)/pyro-seed-sanitized $(HOST_OUT)/pyro-copy-sanitized $(HOST_OUT)/pyro-put-sanitized
host-fuzz: $(HOST_OUT)/fuzz-tar $(HOST_OUT)/fuzz-put

$(HOST_OUT)/pyro-copy: $(HOST_COPY) $(HOST_HEADERS)
	@mkdir -p $(HOST_OUT)
	$(HOST_MUSL) -static -O2 $(HOST_WARN) -pthread $(HOST_COPY) -o $@.new && strip $@.new && mv $@.new $@

$(HOST_OUT)/pyro-tsc: $(HOST_SRC)tsc.c
	@mkdir -p $(HOST_OUT)
	$(HOST_MUSL) -static -O2 $(HOST_WARN) $< -o $@.new && strip $@.new && mv $@.new $@

$(HOST_OUT)/pyro-put: $(HOST_PUT) $(HOST_HEADERS)
	@mkdir -p $(HOST_OUT)
	$(HOST_MUSL) -static -O2 $(HOST_WARN) $(HOST_PUT) -o $@.new && strip $@.new && mv $@.new $@

$(HOST_OUT)/pyro-put-sanitized: $(HOST_PUT) $(HOST_HEADERS)
	@mkdir -p $(HOST_OUT)
	$(HOST_CC) $(HOST_SAN) $(HOST_WARN) $(HOST_PUT) -o $@.new && mv $@.new $@

$(HOST_OUT)/pyro-copy-sanitized: $(HOST_COPY) $(HOST_HEADERS)
	@mkdir -p $(HOST_OUT)
	$(HOST_CC) $(HOST_SAN) $(HOST_WARN) -pthread $(HOST_COPY) -o $@.new && mv $@.new $@

$(HOST_OUT)/pyro-seed: $(HOST_SEED) $(HOST_SRC)blake2b.c $(HOST_HEADERS)
	@mkdir -p $(HOST_OUT)
	$(HOST_CC) -O2 -fPIE $(HOST_SEED_LINK) -fstack-protector-strong -Wl,-z,relro,-z,now -D_FORTIFY_SOURCE=2 $(HOST_WARN) -pthread \
	  $(HOST_SEED) $(HOST_SRC)blake2b.c -lext2fs -lcom_err -o $@.new && mv $@.new $@

$(HOST_OUT)/pyro-seed-sanitized: $(HOST_SEED) $(HOST_SRC)blake2b.c $(HOST_HEADERS)
	@mkdir -p $(HOST_OUT)
	$(HOST_CC) $(HOST_SAN) $(HOST_WARN) -pthread $(HOST_SEED) $(HOST_SRC)blake2b.c -lext2fs -lcom_err -o $@.new && mv $@.new $@

$(HOST_OUT)/fuzz-tar: $(HOST_FUZZED) $(HOST_HEADERS)
	@mkdir -p $(HOST_OUT)
	$(HOST_CLANG) -DFUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all $(HOST_WARN) $(HOST_FUZZED) -o $@.new && mv $@.new $@

$(HOST_OUT)/fuzz-put: $(HOST_SRC)fuzz-put.c $(HOST_SRC)put-plan.c $(HOST_HEADERS)
	@mkdir -p $(HOST_OUT)
	$(HOST_CLANG) -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all $(HOST_WARN) $(filter %.c,$^) -o $@.new && mv $@.new $@

# Starts from what tar itself makes of these sources.
host-fuzz-run: $(HOST_OUT)/fuzz-tar $(HOST_OUT)/fuzz-put
	@mkdir -p $(HOST_OUT)/corpus/tar
	for format in v7 ustar gnu pax; do \
	  tar --format=$$format -cf $(HOST_OUT)/corpus/tar/$$format -C $(HOST_SRC) blake2b.h copy.h seed.h || exit 1; done
	$(HOST_OUT)/fuzz-tar -max_total_time=$(or $(SECONDS),30) -max_len=70000 -timeout=10 -verbosity=0 $(HOST_OUT)/corpus/tar
	@mkdir -p $(HOST_OUT)/corpus/put
	$(HOST_OUT)/fuzz-put -max_total_time=$(or $(SECONDS),30) -max_len=20000 -timeout=10 -verbosity=0 $(HOST_OUT)/corpus/put

host-analyze:
	@mkdir -p $(HOST_OUT)
	for source in $(HOST_COPY) $(HOST_SEED) $(HOST_PUT) $(HOST_SRC)blake2b.c; do \
	  $(HOST_CC) -O2 -fanalyzer $(HOST_WARN) -c $$source -o /dev/null || exit 1; done
