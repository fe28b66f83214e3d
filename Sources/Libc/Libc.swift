// The one place that names the C library; every other file sees it through `import Libc`.
#if canImport(Android)
    @_exported public import Android
#elseif canImport(Musl)
    @_exported public import Musl
#else
    @_exported public import Glibc
#endif
