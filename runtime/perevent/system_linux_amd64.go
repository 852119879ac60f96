package perevent

// sysMemfdCreate is not in package syscall, which is frozen and older than memfd_create.
const sysMemfdCreate = 319
