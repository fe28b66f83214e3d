# The two commands to know are `make demo` and `make test`; `make help` lists the rest.

PREFIX  ?= /usr/local
DESTDIR ?=
SWIFT    = $(shell scripts/find-swift)
BINARY   = .build/release/chroot-distro

# What is linked statically need not be found, mapped and relocated at each start, which would double its time; nor is
# anything looked for beside the program itself. Nobody loads the program as a library, so it exports nothing.
# It stays position independent, which costs 0.4 ms: it reads strangers' archives as root.
STATIC_LIBS   = $(CURDIR)/.build/static
RELEASE_FLAGS = -c release --product chroot-distro --static-swift-stdlib --disable-local-rpath \
    -Xswiftc -L$(STATIC_LIBS) -Xswiftc -Xclang-linker -Xswiftc -static-libgcc \
    -Xlinker --no-export-dynamic $(LAYOUT)
# Where the C library can read them (glibc 2.36), 43,000 relocations are written as bits, which are read sooner. The same
# linker puts what each start runs through side by side.
LAYOUT = $(shell scripts/packs-relocations && echo -Xswiftc -use-ld=lld -Xlinker -z -Xlinker pack-relative-relocs \
    -Xlinker --no-warn-symbol-ordering -Xlinker --symbol-ordering-file=$(CURDIR)/scripts/startup-order.txt)

BASH_DIR = $(DESTDIR)$(PREFIX)/share/bash-completion/completions
ZSH_DIR  = $(DESTDIR)$(PREFIX)/share/zsh/site-functions
FISH_DIR = $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d
MAN_DIR  = $(DESTDIR)$(PREFIX)/share/man/man1

.DEFAULT_GOAL := help
.PHONY: help demo test build release startup-order install uninstall completions soak bench fmt lint check hooks clean

help:   ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 20

demo:   ## Build, then install, enter, list and remove a small system
	@scripts/setup demo
	@$(MAKE) --no-print-directory release
	@scripts/demo $(BINARY)

test:   ## Run every test
	@scripts/setup test
	@scripts/test $(SWIFT)

build:  ## Build for debugging
	@scripts/setup build
	$(SWIFT) build

release: ## Build the program that is installed
	@scripts/setup build
	@scripts/static-libraries $(STATIC_LIBS)
	$(SWIFT) build $(RELEASE_FLAGS) -Xlinker -s

startup-order: ## Find out anew what each start runs through (needs root and valgrind)
	@scripts/static-libraries $(STATIC_LIBS)
	$(SWIFT) build $(RELEASE_FLAGS)
	scripts/startup-order $(BINARY) >.build/startup-order.txt
	mv .build/startup-order.txt scripts/startup-order.txt

install: ## Install below PREFIX (/usr/local); DESTDIR is honoured
	@test -x $(BINARY) || $(MAKE) --no-print-directory release
	install -D -m 755 $(BINARY) $(DESTDIR)$(PREFIX)/bin/chroot-distro
	install -D -m 644 completions/chroot-distro.bash $(BASH_DIR)/chroot-distro
	install -D -m 644 completions/_chroot-distro $(ZSH_DIR)/_chroot-distro
	install -D -m 644 completions/chroot-distro.fish $(FISH_DIR)/chroot-distro.fish
	install -d -m 755 $(MAN_DIR)
	$(BINARY) __generate man $(MAN_DIR)

uninstall: ## Remove what `make install` installed
	rm -f $(DESTDIR)$(PREFIX)/bin/chroot-distro $(BASH_DIR)/chroot-distro $(ZSH_DIR)/_chroot-distro \
	    $(FISH_DIR)/chroot-distro.fish $(MAN_DIR)/chroot-distro.1 $(MAN_DIR)/chroot-distro-*.1

completions: build ## Write completions/ anew from the command table
	.build/debug/chroot-distro __generate completions completions

soak:   ## Start and kill sessions at random for SECONDS (600), and 1000 on terminals
	@scripts/setup test
	@$(MAKE) --no-print-directory release
	scripts/soak $(BINARY) $(or $(SECONDS),600) 1000

bench:  ## Measure against the peers (QUICK=1: a small image) and write docs/benchmarks.md
	@scripts/setup bench
	@$(MAKE) --no-print-directory release
	bench/bench $(if $(QUICK),--quick) --binary $(BINARY)

fmt:    ## Format the sources
	$(SWIFT) format -i -r Sources Tests Package.swift

lint:   ## Check the format of the sources
	$(SWIFT) format lint --strict -r Sources Tests Package.swift

check:  ## What a commit has to pass
	@scripts/setup test
	@$(MAKE) --no-print-directory lint
	@scripts/test $(SWIFT)

hooks:  ## Run `make check` before each commit from now on
	git config core.hooksPath .githooks

clean:  ## Remove what was built
	rm -rf .build bench/work
