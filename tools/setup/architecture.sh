# Print this machine's architecture as Lambda names it; print nothing where the project cannot run.
# Plain sh, so that it also answers on systems without bash. Alpine's libc (musl) knows no GNU_LIBC_VERSION.
case "$(uname -s) $(uname -m) $(getconf GNU_LIBC_VERSION 2>/dev/null)" in
  "Linux x86_64 glibc "*) echo x86_64 ;;
  "Linux aarch64 glibc "* | "Linux arm64 glibc "*) echo arm64 ;;
esac
