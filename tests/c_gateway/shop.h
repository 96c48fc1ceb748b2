/* The labels of this gateway, simulated, and what is under way for each.
 *
 *     obey ─▶ room? ─▶ label free? ─▶ its turn ─▶ painting ─▶ shown
 *               │         │ no: waits, a newer one takes its place
 *               └─────────┴──────────▶ failed
 *
 * A label paints for `paint_ms`; everything else is at once. Nothing here knows MQTT. */
#ifndef SHOP_H
#define SHOP_H

#include "picture.h"

#define SLOTS_MOST 8
#define RESULTS_KEPT 1024

typedef struct {
    uint64_t id, rev, epoch, slot, deadline;
    uint8_t digest[DIGEST_BYTES];
    put_command put; /* its data is a copy of our own */
} work;

typedef struct {
    id_text name;
    uint64_t shown_rev, incarnation, epoch;
    uint8_t shown_digest[DIGEST_BYTES];
    uint64_t confirmed_rev;     /* what the gateway knows that it showed (G2) */
    work *painting, *waiting;   /* at most one of each (G4) */
    uint64_t painted_at;        /* monotonic ms when `painting` will be on the glass */
    uint64_t battery_mv, next_beacon;
} label;

typedef struct {
    event told; /* kind FAILED or SHOWN; ACCEPTED while nothing came of it yet */
    id_text name;
    uint8_t digest[DIGEST_BYTES];
} result;

typedef struct {
    panel_model panel;
    label *labels;
    size_t label_count, in_hand, capacity;
    uint64_t paint_ms, beacon_ms;
    uint64_t now, monotonic; /* ms; set before each call below */
    result results[RESULTS_KEPT];
    size_t next_result;
    void (*tell)(void *listener, const event *what);
    void *listener;
} shop;

bool open_shop(shop *house, const char *gateway, size_t labels);
void close_shop(shop *house);

/* Obeys the body of an admitted payload. */
void obey(shop *house, const char *body, size_t length);

/* Does what is due: paintings end, labels beacon. Returns the monotonic ms of the next time. */
uint64_t pass_time(shop *house);

/* Says what every label shows. */
void report_all(shop *house);

#endif
