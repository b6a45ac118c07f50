/* Sets the loopback interface up by one rtnetlink message. */
#include "child.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

/* include/uapi/linux/if.h, which cannot be included without a libc. */
#define IFF_UP 1

/* Interface 1 of every network namespace: LOOPBACK_IFINDEX of include/net/flow.h. */
#define LOOPBACK_INDEX 1

int op_loopback_up(struct child *child)
{
    struct {
        struct nlmsghdr head;
        struct ifinfomsg link;
    } request = {
        .head = { .nlmsg_len = sizeof request,
                  .nlmsg_type = RTM_NEWLINK,
                  .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK },
        .link = { .ifi_index = LOOPBACK_INDEX, .ifi_flags = IFF_UP, .ifi_change = IFF_UP },
    };
    struct {
        struct nlmsghdr head;
        struct nlmsgerr error;
    } answer;
    CLOSED int fd = sys_socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0)
        return failed(&child->failure, fd, "socket", "rtnetlink");
    long result = sys_send(fd, &request, sizeof request, 0);
    if (result < 0)
        return failed(&child->failure, (int)result, "sendto", "lo");
    result = sys_recv(fd, &answer, sizeof answer, 0);
    if (result < 0)
        return failed(&child->failure, (int)result, "recvfrom", "lo");
    if ((size_t)result < sizeof answer || answer.head.nlmsg_type != NLMSG_ERROR ||
        answer.error.error != 0)
        return failed(&child->failure, answer.error.error < 0 ? answer.error.error : -EPROTO,
                      "sendto", "lo");
    return 0;
}
