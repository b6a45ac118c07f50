/* The socket on which later clients come: DIRECTORY/attach.sock. */
#include "supervisor.h"

#define SOCKET_NAME "attach.sock"

/* Mode 0600: by the umask that holds now. */
int open_listener(struct supervisor *supervisor)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    struct buffer path = { address.sun_path, 0, sizeof address.sun_path, false };
    /* Through the open directory: its own path may be longer than an address holds. */
    put_text(&path, "/proc/self/fd/");
    put_number(&path, (uint64_t)supervisor->directory);
    put_text(&path, "/" SOCKET_NAME);
    put_end(&path);

    int fd = sys_socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return failed(&supervisor->failure, fd, "socket", SOCKET_NAME);
    supervisor->listener = fd;
    int length = (int)(sizeof address.sun_family + path.length + 1);
    int result = sys_bind(fd, &address, length);
    /* Left by one that was killed. */
    if (result == -EADDRINUSE && sys_unlinkat(supervisor->directory, SOCKET_NAME, 0) == 0)
        result = sys_bind(fd, &address, length);
    if (result < 0)
        return failed(&supervisor->failure, result, "bind", supervisor->start.directory.bytes);
    result = sys_listen(fd, CLIENT_COUNT);
    if (result < 0)
        return failed(&supervisor->failure, result, "listen", supervisor->start.directory.bytes);
    return watch(supervisor, fd, SOURCE_LISTENER, EPOLLIN);
}

void close_listener(struct supervisor *supervisor)
{
    if (supervisor->listener < 0)
        return;
    sys_unlinkat(supervisor->directory, SOCKET_NAME, 0);
    sys_close(supervisor->listener);
    supervisor->listener = -1;
}
