/*
 * The supervisor of one container or exec: its state and the parts that share it. It is
 * single-threaded and never blocks but in epoll_wait(2); only the removal of control groups sleeps,
 * two seconds at most.
 */
#ifndef FX_SUPERVISOR_H
#define FX_SUPERVISOR_H

#include "../ops.h"
#include "failure.h"
#include "log.h"
#include "status.h"
#include "syscall.h"

#define CLIENT_COUNT 16
#define FRAME_HEADER 8
/* What is read from the container at once, and from a client's input. */
#define CHUNK_SIZE 16384
/* Where `start` begins in a specification: after magic, layout and length. */
#define FX_START_OFFSET 12
/* Room for the head of a specification; a longer one stays where it is. */
#define HEAD_SIZE 16384
/* A client that takes nothing for so long after the end is dropped. */
#define STALL_MS 10000

enum phase {
    /* The child performs its program. */
    PHASE_STARTING,
    PHASE_RUNNING,
    /* The init has gone; its last output is being read. */
    PHASE_DRAINING,
    /* Clients take the last frame. */
    PHASE_FLUSHING,
};

/* What an epoll event is about: kept in its data, with the client's generation above. */
enum source {
    SOURCE_LISTENER,
    SOURCE_INIT,
    SOURCE_REPORT,
    SOURCE_STDOUT,
    SOURCE_STDERR,
    SOURCE_INPUT,
    SOURCE_CLIENT,
};

struct client {
    /* −1: the place is free. */
    int fd;
    uint32_t generation;
    /* enum fx_attach; before `attached` nothing is known. */
    uint8_t flags;
    bool attached;
    /* Its writing side is closed. */
    bool half_closed;
    /* Its next bytes are input and the container has not taken the last ones. */
    bool waits_for_input;
    uint32_t interest;
    /* Of the frame being received. */
    uint8_t header[FRAME_HEADER];
    uint8_t header_length;
    uint8_t payload_length;
    uint8_t payload[4];
    uint32_t remaining;
    /* Sent of its own greeting and of the shared frame. */
    uint8_t greeting[FRAME_HEADER + 12];
    uint8_t greeting_length;
    uint8_t greeting_sent;
    uint32_t sent;
    /* Milliseconds (monotonic) when it last took something. */
    int64_t progress;
};

struct supervisor {
    struct fx_start start;
    struct fx_reader program;
    uint32_t program_count;
    /* The specification; NULL some time after the program began. */
    const uint8_t *bytes;
    size_t bytes_length;
    /* Exec.reaper: pid 1 itself never executes a program. */
    bool reaper;

    enum phase phase;
    int directory;
    int epoll;
    int listener;
    int report;
    int pidfd;
    struct failure failure;
    struct status status;
    /* DIRECTORY/status, and how much of the status it holds. */
    int status_file;
    size_t status_written;
    uint64_t oom_kills_before;
    /* /proc/self/oom_score_adj as it was found. */
    char oom_score[16];
    long oom_score_length;

    /*
     * Read ends, or the terminal's master and −1. Paused while a client has not taken the last
     * frame.
     */
    int outputs[2];
    bool outputs_watched;
    /* Something happened; when it stays quiet the memory that took is given back. */
    bool awake;
    /* The supervisor's own end of the terminal, so that its closing inside is no end. */
    int terminal;

    /* Where the container's stdin is written: −1 when closed. */
    int input;
    /* The terminal's master has yet to come. */
    bool input_expected;
    bool input_watched;
    bool input_ends;
    uint32_t input_length;
    uint32_t input_sent;

    struct log log;
    struct client clients[CLIENT_COUNT];
    /* The last frame given to the clients; 0: none. */
    uint32_t frame_length;
    /*
     * All that an idle supervisor has no use for comes after this. Short frames do not leave the
     * page of what is before.
     */
    uint8_t frame[FRAME_HEADER + CHUNK_SIZE];
    uint8_t input_bytes[CHUNK_SIZE] __attribute__((aligned(4096)));
    /* What `start` points into when the specification has gone. */
    uint8_t head[HEAD_SIZE] __attribute__((aligned(4096)));
    struct log_room log_room;
    char failed_syscall[24];
    char failed_path[1024];
};

/* onexit.c: serves the container to its end, then becomes the command that comes after it. */
__attribute__((noreturn)) void serve_container(struct supervisor *supervisor);

/* events.c: the loop, until every client has the last frame. */
void serve_events(struct supervisor *supervisor);
int watch(struct supervisor *supervisor, int fd, uint64_t source, uint32_t events);
int64_t monotonic_ms(void);
uint64_t epoch_ns(void);

/* memory.c */
/* The program runs: gives back the code of the set-up (sections.ld) and the specification, once. */
void forget_setup(struct supervisor *supervisor);
/* It is quiet: gives back what the last events have used. */
void forget_buffers(struct supervisor *supervisor);

/*
 * spawn.c: pipes, namespaces, clone. 0, or a negative errno with `failure` set; a child then is
 * none.
 */
int spawn(struct supervisor *supervisor);

/* lifecycle.c: what happens to the container, in this order. */
void on_report(struct supervisor *supervisor);
void on_init_exit(struct supervisor *supervisor);
/* The start failed: status, frame and cleanup. `operation` −1: before the program. */
void fail_start(struct supervisor *supervisor, int32_t operation, int32_t error,
                const char *syscall, const char *path);
/* The child has failed or been killed on the way: it is told once it has gone. */
void fail_child(struct supervisor *supervisor, int32_t operation, int32_t error,
                const char *syscall, const char *path);
/* All output has been read: the final status and the last frame. */
void finish(struct supervisor *supervisor);

/* cleanup.c */
uint64_t read_oom_kills(struct supervisor *supervisor);
/* Kills what is left of the container, and removes its control groups: two seconds at most. */
void kill_and_remove(struct supervisor *supervisor);

/* listener.c */
int open_listener(struct supervisor *supervisor);
void close_listener(struct supervisor *supervisor);

/* clients.c */
void adopt_client(struct supervisor *supervisor, int fd, bool attached, uint32_t flags);
void on_listener(struct supervisor *supervisor);
void on_client(struct supervisor *supervisor, struct client *client, uint32_t events);
/*
 * Gives the frame in `supervisor->frame` to the clients with one of `flags` (enum fx_attach) or to
 * a wider circle.
 */
#define TO_ALL 0
#define TO_ATTACHED 0x100
void publish(struct supervisor *supervisor, uint32_t flags);
/* True while a client has not taken all. */
bool clients_pending(struct supervisor *supervisor);
/* Drops clients that stalled; milliseconds until the next could be, −1: none waits. */
int drop_stalled(struct supervisor *supervisor);
/* The container took its input: those who wait may go on. */
void resume_clients(struct supervisor *supervisor);
void set_header(uint8_t *header, uint8_t type, uint32_t length);
void set_u32(uint8_t *at, uint32_t value);

/* output.c */
void watch_outputs(struct supervisor *supervisor);
void pause_outputs(struct supervisor *supervisor);
/* Reads once, logs and publishes: false when nothing was there. */
bool read_output(struct supervisor *supervisor, unsigned stream);

/* input.c */
/*
 * Takes up to `limit` bytes of a client's input: the count, 0 at its end, −EBUSY: not now, −EAGAIN:
 * none.
 */
long receive_input(struct supervisor *supervisor, int client, uint32_t limit);
/* Writes on what was taken. */
void flush_input(struct supervisor *supervisor);
/* Closes stdin at once; what was not written is lost. */
void close_input(struct supervisor *supervisor);
/* Closes stdin once all is written; a terminal has no end of input. */
void end_input(struct supervisor *supervisor);
void resize_terminal(struct supervisor *supervisor, uint32_t rows, uint32_t columns);

#endif
