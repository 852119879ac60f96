package perevent

// sysMemfdCreate is not in package syscall, which was frozen before it.
const sysMemfdCreate = 319
