/* Reads every vector of tests/golden/wire and says of each whether this gateway agrees with it.
 *
 *     check-vectors tests/golden/wire        one line a file; status 0 when all are right       */
#include "gate.h"
#include "shop.h"

#include <cjson/cJSON.h>
#include <dirent.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


static const char *text_of(const cJSON *object, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
    return text ? text : "";
}

static int64_t signed_of(const cJSON *object, const char *name)
{
    const cJSON *number = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNumber(number) ? (int64_t)number->valuedouble : 0;
}

static uint64_t number_of(const cJSON *object, const char *name)
{
    return (uint64_t)signed_of(object, name);
}

/* Hex digits into bytes of their own; at least one byte is allocated. */
static uint8_t *bytes_of(const char *hex, size_t *length)
{
    uint8_t *bytes = malloc(strlen(hex) / 2 + 1);
    if (!bytes || sodium_hex2bin(bytes, strlen(hex) / 2 + 1, hex, strlen(hex), NULL, length, NULL))
        abort();
    return bytes;
}

/* -- a value of MessagePack against its JSON, bytes as hex ------------------------------------ */

static bool same_text(const char *text, size_t length, const cJSON *told)
{
    return cJSON_IsString(told) && strlen(told->valuestring) == length &&
           memcmp(told->valuestring, text, length) == 0;
}

static bool same_bytes(const char *data, size_t length, const cJSON *told)
{
    if (!cJSON_IsString(told))
        return false;
    size_t told_length;
    uint8_t *bytes = bytes_of(told->valuestring, &told_length);
    bool equal = length == told_length && memcmp(bytes, data, length) == 0;
    free(bytes);
    return equal;
}

static bool same(const msgpack_object *value, const cJSON *told)
{
    switch (value->type) {
    case MSGPACK_OBJECT_BOOLEAN:
        return cJSON_IsBool(told) && value->via.boolean == cJSON_IsTrue(told);
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
        return cJSON_IsNumber(told) && (double)value->via.u64 == told->valuedouble;
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
        return cJSON_IsNumber(told) && (double)value->via.i64 == told->valuedouble;
    case MSGPACK_OBJECT_STR:
        return same_text(value->via.str.ptr, value->via.str.size, told);
    case MSGPACK_OBJECT_BIN:
        return same_bytes(value->via.bin.ptr, value->via.bin.size, told);
    case MSGPACK_OBJECT_ARRAY:
        if (!cJSON_IsArray(told) || (uint32_t)cJSON_GetArraySize(told) != value->via.array.size)
            return false;
        for (uint32_t i = 0; i < value->via.array.size; i++)
            if (!same(&value->via.array.ptr[i], cJSON_GetArrayItem(told, (int)i)))
                return false;
        return true;
    case MSGPACK_OBJECT_MAP:
        if (!cJSON_IsObject(told) || (uint32_t)cJSON_GetArraySize(told) != value->via.map.size)
            return false;
        for (uint32_t i = 0; i < value->via.map.size; i++) {
            const msgpack_object_kv *field = &value->via.map.ptr[i];
            char name[64] = {0};
            if (field->key.type != MSGPACK_OBJECT_STR || field->key.via.str.size >= sizeof name)
                return false;
            memcpy(name, field->key.via.str.ptr, field->key.via.str.size);
            if (!same(&field->val, cJSON_GetObjectItemCaseSensitive(told, name)))
                return false;
        }
        return true;
    default:
        return false;
    }
}

/* -- one message ------------------------------------------------------------------------------ */

static bool writes_the_same(const cJSON *message, const uint8_t *bytes, size_t length)
{
    const char *type = text_of(message, "type");
    size_t digest_bytes;
    uint8_t *digest = bytes_of(text_of(message, strcmp(type, "seen") ? "digest" : "shown_digest"),
                               &digest_bytes);
    event what = {.id = number_of(message, "id"),
                  .label = text_of(message, "label")[0] ? text_of(message, "label") : NULL,
                  .panel = text_of(message, "panel"),
                  .rev = number_of(message, strcmp(type, "seen") ? "rev" : "shown_rev"),
                  .digest = digest_bytes ? digest : NULL,
                  .incarnation = number_of(message, "incarnation"),
                  .at = number_of(message, "at"),
                  .code = text_of(message, "code"),
                  .detail = text_of(message, "detail")[0] ? text_of(message, "detail") : NULL,
                  .firmware = text_of(message, "firmware"),
                  .capacity = number_of(message, "capacity"),
                  .clock = number_of(message, "clock"),
                  .queued = number_of(message, "queued"),
                  .battery_mv = number_of(message, "battery_mv"),
                  .has_temperature = cJSON_HasObjectItem(message, "temperature_c"),
                  .temperature_c = signed_of(message, "temperature_c")};
    const char *names[] = {"hello", "heartbeat", "seen", "accepted", "shown", "failed"};
    bool ours = false;
    msgpack_sbuffer mine;
    msgpack_packer writer;
    msgpack_sbuffer_init(&mine);
    msgpack_packer_init(&writer, &mine, msgpack_sbuffer_write);
    for (int kind = HELLO; kind <= FAILED; kind++)
        if (strcmp(names[kind], type) == 0) {
            ours = !cJSON_HasObjectItem(message, "features") &&
                   !cJSON_HasObjectItem(message, "slots");
            what.kind = (event_kind)kind;
            msgpack_pack_array(&writer, 1);
            write_event(&writer, &what, text_of(message, "session"), number_of(message, "seq"));
        }
    if (type[0] == '\0') {
        ours = true;
        write_state(&writer, cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(message, "online")),
                    text_of(message, "session"), number_of(message, "since"));
    }
    bool right = !ours || (mine.size == length && memcmp(mine.data, bytes, length) == 0);
    msgpack_sbuffer_destroy(&mine);
    free(digest);
    return right;
}

static bool reads_as(const msgpack_object *element, const char *type)
{
    command read = read_command(element);
    if (strcmp(type, "put") == 0)
        return read.kind == READ_PUT && read.id > 0;
    if (strcmp(type, "report") == 0)
        return read.kind == READ_REPORT && read.id > 0;
    return read.kind == READ_UNSUPPORTED; /* beyond level basic, and events */
}

static bool check_message(const cJSON *file)
{
    const cJSON *message = cJSON_GetObjectItemCaseSensitive(file, "message");
    const char *type = text_of(message, "type");
    size_t length;
    uint8_t *bytes = bytes_of(text_of(file, "hex"), &length);
    msgpack_unpacked read;
    size_t at = 0;
    msgpack_unpacked_init(&read);
    bool right = measure(bytes, length, DEPTH_MOST) == length &&
                 msgpack_unpack_next(&read, (const char *)bytes, length, &at) ==
                     MSGPACK_UNPACK_SUCCESS;
    if (right) {
        bool state = type[0] == '\0';
        const msgpack_object *fields = state ? &read.data : read.data.via.array.ptr;
        right = same(fields, message) && (state || reads_as(fields, type)) &&
                writes_the_same(message, bytes, length);
    }
    msgpack_unpacked_destroy(&read);
    free(bytes);
    return right;
}

/* -- signatures ------------------------------------------------------------------------------- */

static void enrol(gate *door, const cJSON *keys)
{
    const cJSON *key;
    door->key_count = 0;
    cJSON_ArrayForEach(key, keys)
    {
        size_t length;
        uint8_t *bytes = bytes_of(key->valuestring, &length);
        memcpy(door->keys[door->key_count++], bytes, PUBLIC_KEY_BYTES);
        free(bytes);
    }
}

static bool check_steps(gate *door, const cJSON *steps, uint64_t now, const char *body_hex)
{
    const char *names[] = {"admit",   "bad_payload", "not_for_us",   "wrong_session",
                           "expired", "replayed",    "bad_signature"};
    const cJSON *step;
    bool right = true;
    cJSON_ArrayForEach(step, steps)
    {
        size_t length, body_length, told_length;
        const char *body;
        uint8_t *payload = bytes_of(text_of(step, "hex"), &length);
        uint8_t *told = bytes_of(body_hex, &told_length);
        verdict judged = admit(door, payload, length, now, &body, &body_length);
        right = right && strcmp(names[judged], text_of(step, "verdict")) == 0 &&
                (judged != ADMIT ||
                 (body_length == told_length && memcmp(body, told, told_length) == 0));
        free(payload);
        free(told);
    }
    return right;
}

static gate door_of(const cJSON *file)
{
    gate door = {0};
    snprintf(door.gateway, sizeof door.gateway, "%s", text_of(file, "gateway"));
    snprintf(door.session, sizeof door.session, "%s", text_of(file, "session"));
    return door;
}

static bool check_gatekeeper(const cJSON *file)
{
    gate door = door_of(file);
    enrol(&door, cJSON_GetObjectItemCaseSensitive(file, "keys"));
    return check_steps(&door, cJSON_GetObjectItemCaseSensitive(file, "steps"),
                       number_of(file, "now"), text_of(file, "body_hex"));
}

static bool check_rotation(const cJSON *file)
{
    gate door = door_of(file);
    const cJSON *phase;
    bool right = true;
    cJSON_ArrayForEach(phase, cJSON_GetObjectItemCaseSensitive(file, "phases"))
    {
        enrol(&door, cJSON_GetObjectItemCaseSensitive(phase, "keys"));
        right = check_steps(&door, cJSON_GetObjectItemCaseSensitive(phase, "steps"),
                            number_of(file, "now"), text_of(file, "body_hex")) &&
                right;
    }
    return right;
}

static bool check_signed(const cJSON *file)
{
    const cJSON *head = cJSON_GetObjectItemCaseSensitive(file, "header");
    gate door = door_of(head);
    size_t length, key_length, told_length, body_length;
    const char *body;
    uint8_t *key = bytes_of(text_of(file, "public_key"), &key_length);
    uint8_t *payload = bytes_of(text_of(file, "hex"), &length);
    uint8_t *told = bytes_of(text_of(file, "body_hex"), &told_length);
    memcpy(door.keys[door.key_count++], key, PUBLIC_KEY_BYTES);
    bool right = admit(&door, payload, length, number_of(head, "expires") - 1, &body,
                       &body_length) == ADMIT &&
                 body_length == told_length && memcmp(body, told, told_length) == 0 &&
                 door.counter == number_of(head, "counter");
    free(key);
    free(payload);
    free(told);
    return right;
}

/* -- a label's life --------------------------------------------------------------------------- */

typedef struct {
    cJSON *answers; /* those still expected; each told one is taken off its front */
    const cJSON *seen;
    bool right, reported;
} reader;

static bool digest_is(const uint8_t *digest, const char *hex)
{
    char mine[2 * DIGEST_BYTES + 1] = "";
    if (digest)
        sodium_bin2hex(mine, sizeof mine, digest, DIGEST_BYTES);
    return strcmp(mine, hex) == 0;
}

static void hear(void *listener, const event *what)
{
    reader *it = listener;
    if (it->seen && what->kind == SEEN) {
        it->reported = true;
        it->right = it->right && strcmp(what->label, text_of(it->seen, "label")) == 0 &&
                    what->rev == number_of(it->seen, "shown_rev") &&
                    digest_is(what->digest, text_of(it->seen, "shown_digest"));
    }
    if (what->kind != SHOWN && what->kind != FAILED)
        return;
    cJSON *told = cJSON_DetachItemFromArray(it->answers, 0);
    it->right = it->right && told && number_of(told, "id") == what->id &&
                strcmp(text_of(told, "type"), what->kind == SHOWN ? "shown" : "failed") == 0 &&
                strcmp(text_of(told, "label"), what->label ? what->label : "") == 0 &&
                (what->kind == SHOWN ? digest_is(what->digest, text_of(told, "digest"))
                                     : strcmp(text_of(told, "code"), what->code) == 0) &&
                (!cJSON_HasObjectItem(told, "rev") || number_of(told, "rev") == what->rev);
    cJSON_Delete(told);
}

static void wait_until(shop *house, uint64_t at)
{
    uint64_t next;
    while ((next = pass_time(house)) < at)
        house->now = house->monotonic = next;
    house->now = house->monotonic = at;
}

static void deliver(shop *house, const char *hex)
{
    size_t length;
    uint8_t *body = bytes_of(hex, &length);
    obey(house, (const char *)body, length);
    free(body);
}

static bool check_story(const cJSON *file)
{
    const cJSON *panel = cJSON_GetObjectItemCaseSensitive(file, "panel");
    shop *house = calloc(1, sizeof *house);
    reader told = {.right = true};
    if (!house)
        abort();
    snprintf(house->panel.panel, sizeof house->panel.panel, "%s", text_of(panel, "id"));
    house->panel.frame_bytes = number_of(panel, "frame_bytes");
    house->panel.slots = (unsigned)number_of(panel, "slots");
    house->panel.window_bits = (unsigned)number_of(panel, "zlib_window_bits");
    house->paint_ms = number_of(file, "paint_ms");
    house->capacity = 16;
    house->tell = hear;
    house->listener = &told;
    open_shop(house, NULL, 1);
    snprintf(house->labels[0].name, sizeof house->labels[0].name, "%s", text_of(file, "label"));
    const cJSON *step;
    cJSON_ArrayForEach(step, cJSON_GetObjectItemCaseSensitive(file, "steps"))
    {
        wait_until(house, number_of(step, "at"));
        if (told.answers && cJSON_GetArraySize(told.answers) > 0)
            told.right = false; /* something of the step before was never said */
        if (!told.right) {
            fprintf(stderr, "before: %s\n", text_of(step, "about"));
            break;
        }
        cJSON_Delete(told.answers);
        told.answers = cJSON_Duplicate(cJSON_GetObjectItemCaseSensitive(step, "answers"), true);
        deliver(house, text_of(step, "body_hex"));
    }
    wait_until(house, house->now + 2 * house->paint_ms);
    told.seen = cJSON_GetObjectItemCaseSensitive(file, "seen");
    deliver(house, text_of(file, "report_hex"));
    bool right = told.right && told.reported && cJSON_GetArraySize(told.answers) == 0;
    cJSON_Delete(told.answers);
    close_shop(house);
    free(house);
    return right;
}

/* -- all of them ------------------------------------------------------------------------------ */

static bool check_file(const cJSON *file)
{
    const char *name = text_of(file, "name");
    if (strcmp(name, "gatekeeper") == 0)
        return check_gatekeeper(file);
    if (strcmp(name, "rotation") == 0)
        return check_rotation(file);
    if (strcmp(name, "story-basic") == 0)
        return check_story(file);
    if (strncmp(name, "signed-", 7) == 0)
        return check_signed(file);
    return check_message(file);
}

int main(int count, char **words)
{
    if (count != 2 || sodium_init() < 0) {
        fprintf(stderr, "usage: check-vectors FOLDER\n");
        return 2;
    }
    DIR *folder = opendir(words[1]);
    int wrong = 0, right = 0;
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        static char path[4096], text[1 << 20];
        size_t length = strlen(entry->d_name);
        if (length < 5 || strcmp(entry->d_name + length - 5, ".json") != 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", words[1], entry->d_name);
        FILE *file = fopen(path, "rb");
        text[file ? fread(text, 1, sizeof text - 1, file) : 0] = '\0';
        if (file)
            fclose(file);
        cJSON *read = cJSON_Parse(text);
        bool good = read && check_file(read);
        printf("%s %s\n", good ? "ok  " : "FAIL", entry->d_name);
        *(good ? &right : &wrong) += 1;
        cJSON_Delete(read);
    }
    if (folder)
        closedir(folder);
    printf("%d right, %d wrong\n", right, wrong);
    return wrong || !right;
}
