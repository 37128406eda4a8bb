{
  description = "Development shell of pyro";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs = { nixpkgs, ... }:
    let
      # The product is built for x86-64 Linux alone.
      pkgs = nixpkgs.legacyPackages.x86_64-linux;
    in
    {
      devShells.x86_64-linux.default = pkgs.mkShell {
        packages = with pkgs; [
          # the product and its tests
          nodejs_22
          qemu_kvm
          bubblewrap
          e2fsprogs
          erofs-utils
          shadow
          util-linux
          # environments: Debian's packages, signatures checked
          apt
          debian-archive-keyring
          dpkg
          gnupg
          mmdebstrap
          # the guest's kernel and initramfs
          cpio
          kmod
          lz4
          xz
          zstd
          # the guest agent and the host's tools, their sanitizer and fuzz builds, static analysis
          clang
          clang-tools
          gcc
          gnumake
          musl.dev
          zip
          # the Python of rootfs/image and its tests
          (python313.withPackages (packages: [ packages.pip ]))
        ];
        buildInputs = [ pkgs.e2fsprogs.dev pkgs.libarchive.dev ];
        # Fortified sources need optimisation, which the sanitizer builds leave out.
        hardeningDisable = [ "fortify" ];
        # There is no static libext2fs here.
        SEED_LINK = "-pie";
      };
    };
}
