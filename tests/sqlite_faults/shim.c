/* A disk that fails, preloaded into a process (`LD_PRELOAD`): the Nth call of a kind, on files whose path has an ending.
 *
 * It also keeps what a power cut would leave. Of each file in the watched directory there is an image: a block is copied
 * into it by the next successful flush after it was written, and not otherwise. A flush that fails forgets which blocks
 * were to be copied, as Linux does: the process still reads what it wrote, and no later flush writes it, unless it is
 * written again. With `evict` the process does not read it any longer either, as when memory runs short. Names are what
 * they were at the last successful flush of anything in the directory, which is what a journal makes of them.
 *
 * Nothing is really flushed. The state is in a file that is mapped by all processes, and by which they are controlled:
 * see `disk.rs`, which has the same layout. */

#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

enum { FSYNC = 1, WRITE = 2, TRUNCATE = 3, READ = 4, OPEN = 5 };
enum { BLOCK = 4096, BLOCKS = 16384, SLOTS = 2048, FDS = 4096 };

struct slot {
    uint64_t ino;
    uint32_t used, unlinked;
    uint8_t dirty[BLOCKS / 8];
};

struct state {
    uint32_t armed, kind, nth, error, evict, count, fired, for_good, unused, padding;
    char ending[32];
    char directory[256];
    char images[256];
    uint32_t slots, more;
    struct slot slot[SLOTS];
};

static struct state *state;
static int state_fd = -1;
static pthread_mutex_t threads = PTHREAD_MUTEX_INITIALIZER;
static int slot_of_fd[FDS]; /* 0: not looked at, -1: not watched, -2: the directory, else slot + 1 */
static char ending_of_fd[FDS][64];
static pthread_once_t once = PTHREAD_ONCE_INIT;

#define REAL(type, name, ...) \
    static type (*real)(__VA_ARGS__); \
    if (!real) real = (type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

static ssize_t real_pread(int fd, void *to, size_t n, off_t at) {
    REAL(ssize_t, "pread64", int, void *, size_t, off_t);
    return real(fd, to, n, at);
}
static ssize_t real_pwrite(int fd, const void *from, size_t n, off_t at) {
    REAL(ssize_t, "pwrite64", int, const void *, size_t, off_t);
    return real(fd, from, n, at);
}
static int real_ftruncate(int fd, off_t size) {
    REAL(int, "ftruncate64", int, off_t);
    return real(fd, size);
}
static int real_close(int fd) {
    REAL(int, "close", int);
    return real(fd);
}
static ssize_t real_write(int fd, const void *from, size_t n) {
    REAL(ssize_t, "write", int, const void *, size_t);
    return real(fd, from, n);
}
static ssize_t real_read(int fd, void *to, size_t n) {
    REAL(ssize_t, "read", int, void *, size_t);
    return real(fd, to, n);
}
static int real_open(const char *path, int flags, mode_t mode) {
    REAL(int, "open64", const char *, int, ...);
    return real(path, flags, mode);
}
static int real_fsync(int fd) {
    REAL(int, "fsync", int);
    return real(fd);
}

static void start(void) {
    const char *path = getenv("CLIENT_REGISTRY_TEST_DISK");
    if (!path) return;
    int fd = real_open(path, O_RDWR | O_CLOEXEC, 0);
    if (fd < 0) return;
    void *at = mmap(NULL, sizeof(struct state), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (at != MAP_FAILED) state = at;
    state_fd = fd;
}

/* Between processes it is a lock of the system's, which goes with a process that is killed while it holds it. */
static void hold(short type) {
    struct flock all = {.l_type = type, .l_whence = SEEK_SET};
    while (fcntl(state_fd, F_OFD_SETLKW, &all))
        if (errno != EINTR) abort();
}
static void lock(void) {
    pthread_mutex_lock(&threads);
    hold(F_WRLCK);
}
static void unlock(void) {
    int error = errno;
    hold(F_UNLCK);
    pthread_mutex_unlock(&threads);
    errno = error;
}

static int image(int slot, int flags) {
    char path[512];
    snprintf(path, sizeof path, "%s/%d", state->images, slot);
    return real_open(path, flags | O_CLOEXEC, 0600);
}

static void copy(int from, int to, off_t at) {
    char block[BLOCK];
    ssize_t n = real_pread(from, block, BLOCK, at);
    if (n > 0) real_pwrite(to, block, (size_t)n, at);
}

/* The slot of a file, under the lock. What is seen for the first time and has content was there before. */
static int slot_of(ino_t ino, off_t size, int fd) {
    for (uint32_t i = 0; i < state->slots; i++)
        if (state->slot[i].ino == ino && !state->slot[i].unlinked) return (int)i;
    if (state->slots == SLOTS) abort();
    int slot = (int)state->slots;
    memset(&state->slot[slot], 0, sizeof(struct slot));
    state->slot[slot].ino = ino;
    state->slot[slot].used = 1;
    int to = image(slot, O_RDWR | O_CREAT | O_TRUNC);
    for (off_t at = 0; at < size; at += BLOCK) copy(fd, to, at);
    real_close(to);
    /* Only now: a process that is killed before has made none. */
    state->slots++;
    return slot;
}

/* What a file descriptor is of. */
static int look(int fd) {
    pthread_once(&once, start);
    if (!state || fd < 0 || fd >= FDS) return -1;
    if (slot_of_fd[fd]) return slot_of_fd[fd];
    char link[64], path[512];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    int found = -1;
    if (n > 0) {
        path[n] = 0;
        size_t len = strlen(state->directory);
        struct stat st;
        if (!strcmp(path, state->directory)) {
            found = -2;
            strcpy(ending_of_fd[fd], "/");
        } else if (!strncmp(path, state->directory, len) && path[len] == '/' && !fstat(fd, &st) && S_ISREG(st.st_mode)
                   && !(n > 4 && !strcmp(path + n - 4, "-shm"))) {
            lock();
            found = slot_of(st.st_ino, st.st_size, fd) + 1;
            unlock();
            strcpy(ending_of_fd[fd], n > 63 ? path + n - 63 : path);
        }
    }
    slot_of_fd[fd] = found;
    return found;
}

/* Whether this call is the one that fails, or where it fails for good one of them. */
static int fails_at(const char *path, uint32_t kind) {
    if (!state->armed || state->kind != kind) return 0;
    size_t n = strlen(path), m = strlen(state->ending);
    if (m > n || strcmp(path + n - m, state->ending)) return 0;
    uint32_t count = __atomic_add_fetch(&state->count, 1, __ATOMIC_SEQ_CST);
    if (state->for_good ? count < state->nth : count != state->nth) return 0;
    state->fired = 1;
    errno = (int)state->error;
    return 1;
}

static int fails(int fd, uint32_t kind) { return fails_at(ending_of_fd[fd], kind); }

static void marks(int slot, off_t at, size_t n) {
    if (!n) return;
    for (off_t block = at / BLOCK; block <= (off_t)(at + n - 1) / BLOCK; block++) {
        if (block >= BLOCKS) abort();
        state->slot[slot].dirty[block / 8] |= (uint8_t)(1 << (block % 8));
    }
}

/* The names that a power cut leaves, under the lock. */
static void keep_names(void) {
    char path[512], next[520];
    snprintf(path, sizeof path, "%s/names", state->images);
    snprintf(next, sizeof next, "%s.next", path);
    DIR *directory = opendir(state->directory);
    FILE *to = fopen(next, "we");
    if (!directory || !to) abort();
    for (struct dirent *entry; (entry = readdir(directory));) {
        size_t n = strlen(entry->d_name);
        if (entry->d_type != DT_REG || (n > 4 && !strcmp(entry->d_name + n - 4, "-shm"))) continue;
        int slot = -1;
        for (uint32_t i = 0; i < state->slots; i++)
            if (state->slot[i].ino == entry->d_ino && !state->slot[i].unlinked) slot = (int)i;
        if (slot < 0) {
            char file[512];
            struct stat st;
            snprintf(file, sizeof file, "%s/%s", state->directory, entry->d_name);
            int fd = real_open(file, O_RDONLY | O_CLOEXEC, 0);
            if (fd < 0) continue;
            /* Empty and new: closing it gives up no lock that matters. */
            if (!fstat(fd, &st)) slot = slot_of(st.st_ino, 0, fd);
            real_close(fd);
        }
        fprintf(to, "%d %s\n", slot, entry->d_name);
    }
    closedir(directory);
    fclose(to);
    rename(next, path);
}

static int flush(int fd) {
    int found = look(fd);
    if (found == -1) return real_fsync(fd);
    int failed = fails(fd, FSYNC), error = errno;
    lock();
    if (found > 0) {
        int slot = found - 1, to = image(slot, O_RDWR);
        struct stat st;
        if (to < 0 || fstat(fd, &st)) abort();
        for (off_t block = 0; block < BLOCKS; block++) {
            uint8_t *byte = &state->slot[slot].dirty[block / 8], bit = (uint8_t)(1 << (block % 8));
            if (!*byte) {
                block |= 7;
                continue;
            }
            if (!(*byte & bit)) continue;
            if (!failed) {
                copy(fd, to, block * BLOCK);
            } else if (state->evict) {
                char zeros[BLOCK] = {0};
                off_t left = st.st_size - block * BLOCK;
                if (left > 0) real_pwrite(fd, zeros, left < BLOCK ? (size_t)left : BLOCK, block * BLOCK);
                copy(to, fd, block * BLOCK);
            }
            /* A process that is killed before leaves the block to the next flush. */
            *byte &= (uint8_t)~bit;
        }
        if (!failed) real_ftruncate(to, st.st_size);
        real_close(to);
    }
    if (!failed) keep_names();
    unlock();
    errno = error;
    return failed ? -1 : 0;
}

int fsync(int fd) { return flush(fd); }
int fdatasync(int fd) { return flush(fd); }

static ssize_t put(int fd, const void *from, size_t n, off_t at, int moves) {
    int found = look(fd);
    if (found > 0) {
        if (fails(fd, WRITE)) return -1;
        if (moves) at = lseek(fd, 0, SEEK_CUR);
        lock();
        /* Before it is written: a process may be killed between the two. */
        marks(found - 1, at, n);
    }
    ssize_t written = moves ? real_write(fd, from, n) : real_pwrite(fd, from, n, at);
    if (found > 0) unlock();
    return written;
}

ssize_t write(int fd, const void *from, size_t n) { return put(fd, from, n, 0, 1); }
ssize_t pwrite(int fd, const void *from, size_t n, off_t at) { return put(fd, from, n, at, 0); }
ssize_t pwrite64(int fd, const void *from, size_t n, off64_t at) { return put(fd, from, n, at, 0); }

ssize_t read(int fd, void *to, size_t n) {
    if (look(fd) > 0 && fails(fd, READ)) return -1;
    return real_read(fd, to, n);
}
ssize_t pread(int fd, void *to, size_t n, off_t at) {
    if (look(fd) > 0 && fails(fd, READ)) return -1;
    return real_pread(fd, to, n, at);
}
ssize_t pread64(int fd, void *to, size_t n, off64_t at) { return pread(fd, to, n, at); }

int ftruncate(int fd, off_t size) {
    int found = look(fd);
    if (found > 0 && fails(fd, TRUNCATE)) return -1;
    return real_ftruncate(fd, size);
}
int ftruncate64(int fd, off64_t size) { return ftruncate(fd, size); }

/* A file of the directory that cannot be opened. */
static int is_shut(const char *path) {
    pthread_once(&once, start);
    return state && !strncmp(path, state->directory, strlen(state->directory)) && fails_at(path, OPEN);
}

#define MODE(flags) \
    mode_t mode = 0; \
    if ((flags) & (O_CREAT | O_TMPFILE)) { \
        va_list more; \
        va_start(more, flags); \
        mode = va_arg(more, mode_t); \
        va_end(more); \
    }

int open(const char *path, int flags, ...) {
    MODE(flags)
    REAL(int, "open", const char *, int, ...);
    return is_shut(path) ? -1 : real(path, flags, mode);
}
int open64(const char *path, int flags, ...) {
    MODE(flags)
    REAL(int, "open64", const char *, int, ...);
    return is_shut(path) ? -1 : real(path, flags, mode);
}

int close(int fd) {
    if (fd >= 0 && fd < FDS) slot_of_fd[fd] = 0;
    return real_close(fd);
}

/* A name goes, and with the last one the file: its number may be another file's soon. */
static void goes(const char *path) {
    pthread_once(&once, start);
    struct stat st;
    if (!state || strncmp(path, state->directory, strlen(state->directory)) || lstat(path, &st) || st.st_nlink > 1) return;
    lock();
    for (uint32_t i = 0; i < state->slots; i++)
        if (state->slot[i].ino == st.st_ino) state->slot[i].unlinked = 1;
    unlock();
}

int unlink(const char *path) {
    goes(path);
    REAL(int, "unlink", const char *);
    return real(path);
}
int rename(const char *from, const char *to) {
    goes(to);
    REAL(int, "rename", const char *, const char *);
    return real(from, to);
}

/* So that whoever copies in one call reads and writes instead. */
ssize_t copy_file_range(int from, off64_t *a, int to, off64_t *b, size_t n, unsigned flags) {
    (void)from, (void)a, (void)to, (void)b, (void)n, (void)flags;
    errno = ENOSYS;
    return -1;
}
ssize_t sendfile(int to, int from, off_t *at, size_t n) {
    (void)to, (void)from, (void)at, (void)n;
    errno = ENOSYS;
    return -1;
}
ssize_t sendfile64(int to, int from, off64_t *at, size_t n) { return sendfile(to, from, at, n); }
ssize_t splice(int from, off64_t *a, int to, off64_t *b, size_t n, unsigned flags) {
    (void)from, (void)a, (void)to, (void)b, (void)n, (void)flags;
    errno = EINVAL;
    return -1;
}
