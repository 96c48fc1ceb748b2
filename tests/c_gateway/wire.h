/* The messages of the gateway protocol, version 1: what a gateway of level Basic reads and writes. */
#ifndef WIRE_H
#define WIRE_H

#include <msgpack.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROTOCOL_VERSION 1
#define PAYLOAD_MOST 65536
#define DEPTH_MOST 16
#define INTEGER_MOST ((UINT64_C(1) << 53) - 1)
#define FRAME_MOST (1u << 24)
#define ENTRIES_MOST 4096
#define ID_MOST 64
#define DIGEST_BYTES 32

typedef char id_text[ID_MOST + 1];

/* What became of reading one element of a payload. */
typedef enum { READ_PUT, READ_REPORT, READ_UNSUPPORTED, READ_INVALID, READ_NO_MESSAGE } read_kind;

typedef struct {
    id_text label;
    uint64_t epoch, slot, rev, deadline, size;
    uint8_t digest[DIGEST_BYTES];
    id_text encoding;
    const uint8_t *data; /* inside the payload */
    size_t data_bytes;
    bool show, has_base, in_parts;
} put_command;

typedef struct {
    read_kind kind;
    uint64_t id; /* 0 where it could not be read */
    put_command put;
    bool all_labels;     /* of a report */
    msgpack_object labels; /* else: a checked array of ids */
} command;

/* How many bytes the value at the beginning of `bytes` takes; 0 where it is cut off, no MessagePack,
 * or nested deeper than `levels`. Asked before anything is unpacked: a head that announces a billion
 * elements must not make anybody allocate them. */
size_t measure(const uint8_t *bytes, size_t length, int levels);

/* Reads one element; never fails. */
command read_command(const msgpack_object *element);

bool is_id(const char *text, size_t length);
bool take_integer(const msgpack_object *value, uint64_t least, uint64_t most, uint64_t *number);
bool copy_id(const msgpack_object *value, id_text text);

/* -- events -------------------------------------------------------------------------------- */

typedef enum { HELLO, HEARTBEAT, SEEN, ACCEPTED, SHOWN, FAILED } event_kind;

typedef struct {
    event_kind kind;
    uint64_t id;
    const char *label;  /* of SEEN, SHOWN; of FAILED where it is not NULL, with rev */
    const char *panel;  /* of SEEN */
    uint64_t rev;       /* shown_rev of SEEN */
    const uint8_t *digest; /* 32 bytes, or NULL for none */
    uint64_t incarnation, at;
    const char *code, *detail; /* of FAILED; detail may be NULL */
    const char *firmware;      /* of HELLO, HEARTBEAT */
    uint64_t capacity, clock, queued;
    uint64_t battery_mv; /* 0: not told */
    int64_t temperature_c, rssi_dbm;
    bool has_temperature, has_rssi;
} event;

void write_event(msgpack_packer *writer, const event *what, const char *session, uint64_t seq);
void write_state(msgpack_packer *writer, bool online, const char *session, uint64_t since);

#endif
