/* A disk that takes long to sync: loaded before a program, it lets every fsync and fdatasync wait first. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <unistd.h>

enum { WAIT_US = 40000 };

typedef int (*sync_fn)(int);

static int after_a_while(const char *name, int fd)
{
    sync_fn real = (sync_fn)dlsym(RTLD_NEXT, name);
    usleep(WAIT_US);
    return real(fd);
}

int fsync(int fd) { return after_a_while("fsync", fd); }

int fdatasync(int fd) { return after_a_while("fdatasync", fd); }
