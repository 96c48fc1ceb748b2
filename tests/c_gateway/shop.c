#include "shop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FULL_MV 3000
#define ROOM_C 21
#define NEAR_DBM (-55)

bool open_shop(shop *house, const char *gateway, size_t labels)
{
    house->labels = calloc(labels, sizeof *house->labels);
    house->label_count = house->labels ? labels : 0;
    for (size_t i = 0; i < house->label_count; i++) {
        label *it = &house->labels[i];
        if (labels == 1 && gateway == NULL)
            continue; /* the caller names it */
        int length = snprintf(it->name, sizeof it->name, "%s-%04zu", gateway, i + 1);
        if (length < 0 || (size_t)length >= sizeof it->name)
            return false;
        it->battery_mv = FULL_MV;
        it->incarnation = 1;
        it->next_beacon = house->monotonic + house->beacon_ms * (i + 1) / labels;
    }
    return house->label_count == labels;
}

static void drop(work **piece)
{
    if (*piece)
        free((void *)(*piece)->put.data);
    free(*piece);
    *piece = NULL;
}

void close_shop(shop *house)
{
    for (size_t i = 0; i < house->label_count; i++) {
        drop(&house->labels[i].painting);
        drop(&house->labels[i].waiting);
    }
    free(house->labels);
    house->labels = NULL;
    house->label_count = 0;
}

static label *find_label(shop *house, const char *name)
{
    for (size_t i = 0; i < house->label_count; i++)
        if (strcmp(house->labels[i].name, name) == 0)
            return &house->labels[i];
    return NULL;
}

/* -- what is told ---------------------------------------------------------------------------- */

static result *result_of(shop *house, uint64_t id)
{
    if (id == 0)
        return NULL; /* of what could not be read */
    for (size_t i = 0; i < RESULTS_KEPT; i++)
        if (house->results[i].told.id == id)
            return &house->results[i];
    return NULL;
}

/* Makes a place for what will come of a command; the oldest result gives way (G8). */
static void begin_result(shop *house, uint64_t id)
{
    result *place = &house->results[house->next_result++ % RESULTS_KEPT];
    memset(place, 0, sizeof *place);
    place->told = (event){.kind = ACCEPTED, .id = id};
}

static void tell_seen(shop *house, const label *it)
{
    event seen = {.kind = SEEN,
                  .label = it->name,
                  .panel = house->panel.panel,
                  .rev = it->shown_rev,
                  .digest = it->shown_rev ? it->shown_digest : NULL,
                  .incarnation = it->incarnation,
                  .battery_mv = it->battery_mv,
                  .has_temperature = true,
                  .temperature_c = ROOM_C,
                  .has_rssi = true,
                  .rssi_dbm = NEAR_DBM};
    house->tell(house->listener, &seen);
}

void report_all(shop *house)
{
    for (size_t i = 0; i < house->label_count; i++)
        tell_seen(house, &house->labels[i]);
}

static void tell_accepted(shop *house, uint64_t id)
{
    event accepted = {.kind = ACCEPTED, .id = id};
    house->tell(house->listener, &accepted);
}

/* Tells what came of a command, and keeps it for duplicates. */
static void tell_result(shop *house, const event *what)
{
    result *place = result_of(house, what->id);
    if (place) {
        place->told = *what;
        if (what->label) {
            memcpy(place->name, what->label, strlen(what->label) + 1);
            place->told.label = place->name;
        }
        if (what->digest) {
            memcpy(place->digest, what->digest, DIGEST_BYTES);
            place->told.digest = place->digest;
        }
    }
    house->tell(house->listener, what);
}

static void fail(shop *house, uint64_t id, const char *code, const char *name, uint64_t rev)
{
    event failed = {.kind = FAILED, .id = id, .code = code, .label = name, .rev = rev};
    tell_result(house, &failed);
    label *it = name ? find_label(house, name) : NULL;
    if (it && strcmp(code, "superseded") == 0)
        tell_seen(house, it); /* what it shows decides */
}

static void tell_shown(shop *house, const label *it, uint64_t id)
{
    event shown = {.kind = SHOWN,
                   .id = id,
                   .label = it->name,
                   .rev = it->shown_rev,
                   .digest = it->shown_digest,
                   .incarnation = it->incarnation,
                   .at = house->now,
                   .battery_mv = it->battery_mv,
                   .has_temperature = true,
                   .temperature_c = ROOM_C};
    tell_result(house, &shown);
}

/* -- the label ------------------------------------------------------------------------------- */

/* What the label says to a put: NULL where it begins to paint, "" where it shows that already,
 * else a failure code. */
static const char *ask_label(const shop *house, const label *it, const work *piece)
{
    if (piece->slot >= house->panel.slots)
        return "invalid_image_index";
    if (piece->epoch < it->epoch)
        return "invalid_state";
    if (piece->rev == it->shown_rev &&
        memcmp(piece->digest, it->shown_digest, DIGEST_BYTES) == 0)
        return "";
    if (piece->rev <= it->shown_rev)
        return "superseded"; /* L1 */
    return judge_picture(&piece->put, &house->panel); /* L2 */
}

/* Gives a label its piece of work; true where it is painting now. */
static bool take_turn(shop *house, label *it, work *piece)
{
    const char *answer;
    if (house->now >= piece->deadline)
        answer = "expired";
    else if (piece->rev < it->confirmed_rev)
        answer = "superseded"; /* G2 */
    else
        answer = ask_label(house, it, piece);
    if (answer == NULL) {
        it->epoch = piece->epoch;
        it->painting = piece;
        it->painted_at = house->monotonic + house->paint_ms;
        return true;
    }
    if (answer[0] == '\0')
        tell_shown(house, it, piece->id);
    else
        fail(house, piece->id, answer, it->name, piece->rev);
    drop(&piece);
    house->in_hand--;
    return false;
}

static void finish_painting(shop *house, label *it)
{
    work *piece = it->painting;
    it->shown_rev = it->confirmed_rev = piece->rev;
    memcpy(it->shown_digest, piece->digest, DIGEST_BYTES);
    tell_shown(house, it, piece->id);
    drop(&it->painting);
    house->in_hand--;
}

uint64_t pass_time(shop *house)
{
    uint64_t next = UINT64_MAX;
    for (size_t i = 0; i < house->label_count; i++) {
        label *it = &house->labels[i];
        if (it->painting && house->monotonic >= it->painted_at) {
            finish_painting(house, it);
            work *waiting = it->waiting;
            it->waiting = NULL;
            if (waiting)
                take_turn(house, it, waiting);
        }
        if (house->beacon_ms && house->monotonic >= it->next_beacon) {
            tell_seen(house, it);
            it->next_beacon = house->monotonic + house->beacon_ms;
        }
        if (it->painting && it->painted_at < next)
            next = it->painted_at;
        if (house->beacon_ms && it->next_beacon < next)
            next = it->next_beacon;
    }
    return next;
}

/* -- commands -------------------------------------------------------------------------------- */

static work *keep(const command *read)
{
    work *piece = malloc(sizeof *piece);
    uint8_t *data = malloc(read->put.data_bytes + 1);
    if (!piece || !data) {
        free(piece);
        free(data);
        return NULL;
    }
    memcpy(data, read->put.data, read->put.data_bytes);
    *piece = (work){.id = read->id,
                    .rev = read->put.rev,
                    .epoch = read->put.epoch,
                    .slot = read->put.slot,
                    .deadline = read->put.deadline,
                    .put = read->put};
    memcpy(piece->digest, read->put.digest, DIGEST_BYTES);
    piece->put.data = data;
    return piece;
}

static void offer(shop *house, const command *read)
{
    const put_command *put = &read->put;
    label *it = find_label(house, put->label);
    if (!put->show || put->has_base || put->in_parts) {
        fail(house, read->id, "unsupported", put->label, put->rev); /* beyond level basic */
        return;
    }
    if (!it) {
        fail(house, read->id, "unknown_label", put->label, put->rev);
        return;
    }
    bool replaces = it->waiting != NULL;
    if (!replaces && house->in_hand >= house->capacity) {
        fail(house, read->id, "queue_full", put->label, put->rev);
        return;
    }
    if (replaces && it->waiting->rev > put->rev) {
        fail(house, read->id, "superseded", put->label, put->rev);
        return;
    }
    work *piece = keep(read);
    if (!piece) {
        fail(house, read->id, "insufficient_resources", put->label, put->rev);
        return;
    }
    if (!it->painting) {
        house->in_hand++;
        if (take_turn(house, it, piece))
            tell_accepted(house, read->id);
        return;
    }
    if (replaces) {
        fail(house, it->waiting->id, "superseded", it->name, it->waiting->rev);
        drop(&it->waiting);
    } else {
        house->in_hand++;
    }
    it->waiting = piece;
    tell_accepted(house, read->id);
}

static void report(shop *house, const command *read)
{
    id_text name;
    tell_accepted(house, read->id);
    if (read->all_labels) {
        report_all(house);
        return;
    }
    for (uint32_t i = 0; i < read->labels.via.array.size; i++) {
        copy_id(&read->labels.via.array.ptr[i], name);
        label *it = find_label(house, name);
        if (it) {
            tell_seen(house, it);
        } else {
            event failed = {.kind = FAILED, .id = read->id, .code = "unknown_label", .label = name};
            house->tell(house->listener, &failed);
        }
    }
}

static void obey_one(shop *house, const command *read)
{
    switch (read->kind) {
    case READ_NO_MESSAGE:
        fail(house, read->id, "invalid_opcode", NULL, 0);
        break;
    case READ_INVALID:
        fail(house, read->id, "invalid_parameters", NULL, 0);
        break;
    case READ_UNSUPPORTED:
        fail(house, read->id, "unsupported", NULL, 0);
        break;
    case READ_REPORT:
        report(house, read);
        break;
    case READ_PUT: {
        const result *known = result_of(house, read->id);
        if (known) {
            house->tell(house->listener, &known->told); /* G8 */
        } else {
            begin_result(house, read->id);
            offer(house, read);
        }
        break;
    }
    }
}

void obey(shop *house, const char *body, size_t length)
{
    if (measure((const uint8_t *)body, length, DEPTH_MOST) != length)
        return;
    msgpack_unpacked read;
    size_t at = 0;
    msgpack_unpacked_init(&read);
    if (msgpack_unpack_next(&read, body, length, &at) == MSGPACK_UNPACK_SUCCESS &&
        read.data.type == MSGPACK_OBJECT_ARRAY)
        for (uint32_t i = 0; i < read.data.via.array.size; i++) {
            command one = read_command(&read.data.via.array.ptr[i]);
            obey_one(house, &one);
        }
    msgpack_unpacked_destroy(&read);
}
