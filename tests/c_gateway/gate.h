/* The door: which `down` payloads are obeyed (docs/protocol.md, Signatures). */
#ifndef GATE_H
#define GATE_H

#include "wire.h"

#define KEYS_MOST 2
#define PUBLIC_KEY_BYTES 32

typedef enum {
    ADMIT,
    BAD_PAYLOAD,
    NOT_FOR_US,
    WRONG_SESSION,
    EXPIRED,
    REPLAYED,
    BAD_SIGNATURE
} verdict;

typedef struct {
    id_text gateway, session;
    uint64_t counter; /* the last one obeyed in this session */
    uint8_t keys[KEYS_MOST][PUBLIC_KEY_BYTES];
    int key_count;
} gate;

/* Judges a payload. Where it must be obeyed, `body` is the bytes of its commands inside `payload`,
 * whose header was moved meanwhile. `now` is this gateway's clock in ms. */
verdict admit(gate *door, uint8_t *payload, size_t length, uint64_t now, const char **body,
              size_t *body_length);

#endif
