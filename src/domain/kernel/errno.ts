/** Numbers and names of errno as on every architecture this engine runs on (include/uapi/asm-generic/errno*.h). */

/** Index is number − 1; "" where the kernel has none. */
const names = [
  "EPERM", "ENOENT", "ESRCH", "EINTR", "EIO", "ENXIO", "E2BIG", "ENOEXEC", "EBADF", "ECHILD",
  "EAGAIN", "ENOMEM", "EACCES", "EFAULT", "ENOTBLK", "EBUSY", "EEXIST", "EXDEV", "ENODEV",
  "ENOTDIR", "EISDIR", "EINVAL", "ENFILE", "EMFILE", "ENOTTY", "ETXTBSY", "EFBIG", "ENOSPC",
  "ESPIPE", "EROFS", "EMLINK", "EPIPE", "EDOM", "ERANGE", "EDEADLOCK", "ENAMETOOLONG", "ENOLCK",
  "ENOSYS", "ENOTEMPTY", "ELOOP", "", "ENOMSG", "EIDRM", "ECHRNG", "EL2NSYNC", "EL3HLT", "EL3RST",
  "ELNRNG", "EUNATCH", "ENOCSI", "EL2HLT", "EBADE", "EBADR", "EXFULL", "ENOANO", "EBADRQC",
  "EBADSLT", "", "EBFONT", "ENOSTR", "ENODATA", "ETIME", "ENOSR", "ENONET", "ENOPKG", "EREMOTE",
  "ENOLINK", "EADV", "ESRMNT", "ECOMM", "EPROTO", "EMULTIHOP", "EDOTDOT", "EBADMSG", "EOVERFLOW",
  "ENOTUNIQ", "EBADFD", "EREMCHG", "ELIBACC", "ELIBBAD", "ELIBSCN", "ELIBMAX", "ELIBEXEC",
  "EILSEQ", "ERESTART", "ESTRPIPE", "EUSERS", "ENOTSOCK", "EDESTADDRREQ", "EMSGSIZE", "EPROTOTYPE",
  "ENOPROTOOPT", "EPROTONOSUPPORT", "ESOCKTNOSUPPORT", "ENOTSUP", "EPFNOSUPPORT", "EAFNOSUPPORT",
  "EADDRINUSE", "EADDRNOTAVAIL", "ENETDOWN", "ENETUNREACH", "ENETRESET", "ECONNABORTED",
  "ECONNRESET", "ENOBUFS", "EISCONN", "ENOTCONN", "ESHUTDOWN", "ETOOMANYREFS", "ETIMEDOUT",
  "ECONNREFUSED", "EHOSTDOWN", "EHOSTUNREACH", "EALREADY", "EINPROGRESS", "ESTALE", "EUCLEAN",
  "ENOTNAM", "ENAVAIL", "EISNAM", "EREMOTEIO", "EDQUOT", "ENOMEDIUM", "EMEDIUMTYPE", "ECANCELED",
  "ENOKEY", "EKEYEXPIRED", "EKEYREVOKED", "EKEYREJECTED", "EOWNERDEAD", "ENOTRECOVERABLE",
  "ERFKILL", ""
]

/** `2` → `ENOENT`; an unknown number is `E` and the number. */
export const errnoName = (number: number): string => names[Math.abs(number) - 1] || `E${Math.abs(number)}`

/** `ENOENT` → `2`; 0 for a name that is not the kernel's. */
export const errnoNumber = (name: string): number => names.indexOf(name) + 1

/** strerror(3) of those that a user may see. */
const meanings: { readonly [name: string]: string } = {
  ENOENT: "no such file or directory", EACCES: "permission denied", EPERM: "operation not permitted",
  ENOTDIR: "not a directory", EISDIR: "is a directory", ENOEXEC: "exec format error", EEXIST: "file exists",
  ELOOP: "too many levels of symbolic links", EAGAIN: "resource temporarily unavailable", ENOMEM: "cannot allocate memory",
  EINVAL: "invalid argument", ENOSPC: "no space left on device", EROFS: "read-only file system",
  EBUSY: "device or resource busy", EIO: "input/output error", EDQUOT: "disk quota exceeded", ESRCH: "no such process",
  ENOTEMPTY: "directory not empty", EXDEV: "invalid cross-device link", EMFILE: "too many open files",
  ENFILE: "too many open files in system", ENODEV: "no such device", ENXIO: "no such device or address",
  EOVERFLOW: "value too large for defined data type", ENAMETOOLONG: "file name too long", EFBIG: "file too large",
  ETXTBSY: "text file busy", ENOSYS: "function not implemented", EBADMSG: "bad message", ENOTSUP: "operation not supported"
}

/** `ENOENT` → `no such file or directory`; a rarer one stays a name. */
export const errnoMeaning = (name: string): string => meanings[name] ?? name
