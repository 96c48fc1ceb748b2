#include "wire.h"

#include <string.h>

/* -- reading -------------------------------------------------------------------------------- */

static uint64_t big_endian(const uint8_t *bytes, size_t width)
{
    uint64_t number = 0;
    while (width--)
        number = number << 8 | *bytes++;
    return number;
}

/* Measures `count` values in a row. */
static size_t measure_row(const uint8_t *bytes, size_t length, uint64_t count, int levels)
{
    size_t at = 0;
    while (count--) {
        size_t one = measure(bytes + at, length - at, levels);
        if (one == 0)
            return 0;
        at += one;
    }
    return at;
}

size_t measure(const uint8_t *bytes, size_t length, int levels)
{
    static const uint8_t fixed[] = {
        1, 0, 1, 1,                         /* c0: nil, no such head, false, true */
        0, 0, 0, 0, 0, 0,                   /* c4: bin and ext, whose length follows */
        5, 9, 2, 3, 5, 9, 2, 3, 5, 9,       /* ca: floats and integers */
        3, 4, 6, 10, 18                     /* d4: ext of a fixed length */
    };
    if (length == 0)
        return 0;
    uint8_t head = bytes[0];
    size_t width = 0; /* of the length that follows the head */
    uint64_t content = 0, values = 0;
    if (head <= 0x7f || head >= 0xe0)
        return 1;
    if (head <= 0x8f)
        values = 2u * (head & 0x0f);
    else if (head <= 0x9f)
        values = head & 0x0f;
    else if (head <= 0xbf)
        content = head & 0x1f;
    else if (head >= 0xdc)
        width = head & 1 ? 4 : 2; /* arrays and maps */
    else if (head >= 0xd9)
        width = 1u << (head - 0xd9); /* str */
    else if (head >= 0xc4 && head <= 0xc9)
        width = 1u << ((head - 0xc4) % 3);
    else
        return fixed[head - 0xc0] <= length ? fixed[head - 0xc0] : 0;
    if (1 + width > length)
        return 0;
    if (width) {
        uint64_t told = big_endian(bytes + 1, width);
        if (head >= 0xdc)
            values = head >= 0xde ? 2 * told : told;
        else
            content = told + (head >= 0xc7 && head <= 0xc9); /* an ext has a type, too */
    }
    size_t at = 1 + width;
    bool nests = head <= 0x9f || head >= 0xdc;
    if (!nests)
        return content <= length - at ? at + content : 0;
    if (levels < 1)
        return 0;
    size_t inner = measure_row(bytes + at, length - at, values, levels - 1);
    return values == 0 || inner ? at + inner : 0;
}

bool is_id(const char *text, size_t length)
{
    if (length < 1 || length > ID_MOST)
        return false;
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
            return false;
    }
    return true;
}

static bool is_text(const msgpack_object *value, const char *text)
{
    return value->type == MSGPACK_OBJECT_STR && value->via.str.size == strlen(text) &&
           memcmp(value->via.str.ptr, text, strlen(text)) == 0;
}

/* Finds a field of a map; NULL where it is not there, or nil. */
static const msgpack_object *find(const msgpack_object *map, const char *name)
{
    for (uint32_t i = 0; i < map->via.map.size; i++) {
        const msgpack_object_kv *field = &map->via.map.ptr[i];
        if (is_text(&field->key, name))
            return field->val.type == MSGPACK_OBJECT_NIL ? NULL : &field->val;
    }
    return NULL;
}

bool take_integer(const msgpack_object *value, uint64_t least, uint64_t most, uint64_t *number)
{
    if (!value || value->type != MSGPACK_OBJECT_POSITIVE_INTEGER)
        return false;
    *number = value->via.u64;
    return *number >= least && *number <= most;
}

static bool take_uint(const msgpack_object *map, const char *name, uint64_t least, uint64_t most,
                      uint64_t *number)
{
    return take_integer(find(map, name), least, most, number);
}

bool copy_id(const msgpack_object *value, id_text text)
{
    if (!value || value->type != MSGPACK_OBJECT_STR ||
        !is_id(value->via.str.ptr, value->via.str.size))
        return false;
    memcpy(text, value->via.str.ptr, value->via.str.size);
    text[value->via.str.size] = '\0';
    return true;
}

static bool take_id(const msgpack_object *map, const char *name, id_text text)
{
    return copy_id(find(map, name), text);
}

static bool take_bin(const msgpack_object *map, const char *name, const uint8_t **data,
                     size_t *length)
{
    const msgpack_object *value = find(map, name);
    if (!value || value->type != MSGPACK_OBJECT_BIN)
        return false;
    *data = (const uint8_t *)value->via.bin.ptr;
    *length = value->via.bin.size;
    return true;
}

static bool take_digest(const msgpack_object *map, const char *name, uint8_t digest[DIGEST_BYTES])
{
    const uint8_t *data;
    size_t length;
    if (!take_bin(map, name, &data, &length) || length != DIGEST_BYTES)
        return false;
    memcpy(digest, data, DIGEST_BYTES);
    return true;
}

static bool read_put(const msgpack_object *map, put_command *put)
{
    const msgpack_object *show = find(map, "show");
    if (!take_id(map, "label", put->label) || !take_id(map, "encoding", put->encoding) ||
        !take_uint(map, "epoch", 0, INTEGER_MOST, &put->epoch) ||
        !take_uint(map, "slot", 0, 255, &put->slot) ||
        !take_uint(map, "rev", 1, INTEGER_MOST, &put->rev) ||
        !take_uint(map, "size", 0, FRAME_MOST, &put->size) ||
        !take_uint(map, "deadline", 0, INTEGER_MOST, &put->deadline) ||
        !take_digest(map, "digest", put->digest) ||
        !take_bin(map, "data", &put->data, &put->data_bytes) || !show ||
        show->type != MSGPACK_OBJECT_BOOLEAN)
        return false;
    put->show = show->via.boolean;

    uint8_t base[DIGEST_BYTES];
    put->has_base = find(map, "base") != NULL;
    if (put->has_base && !take_digest(map, "base", base))
        return false;
    bool delta = strcmp(put->encoding, "xor-zlib") == 0;
    bool whole = strcmp(put->encoding, "raw") == 0 || strcmp(put->encoding, "zlib") == 0;
    if ((delta && !put->has_base) || (whole && put->has_base))
        return false;

    put->in_parts = find(map, "offset") != NULL;
    if (put->in_parts != (find(map, "total") != NULL))
        return false;
    uint64_t offset, total;
    return !put->in_parts || (take_uint(map, "offset", 0, FRAME_MOST, &offset) &&
                              take_uint(map, "total", 0, FRAME_MOST, &total) &&
                              offset + put->data_bytes <= total);
}

static bool read_report(const msgpack_object *map, command *read)
{
    const msgpack_object *labels = find(map, "labels");
    id_text text;
    read->all_labels = !labels;
    if (!labels)
        return true;
    if (labels->type != MSGPACK_OBJECT_ARRAY || labels->via.array.size > ENTRIES_MOST)
        return false;
    for (uint32_t i = 0; i < labels->via.array.size; i++)
        if (!copy_id(&labels->via.array.ptr[i], text))
            return false;
    read->all_labels = labels->via.array.size == 0;
    read->labels = *labels;
    return true;
}

command read_command(const msgpack_object *element)
{
    command read = {.kind = READ_NO_MESSAGE};
    if (element->type != MSGPACK_OBJECT_MAP)
        return read;
    bool right = take_uint(element, "id", 1, INTEGER_MOST, &read.id);
    if (!right)
        read.id = 0;
    const msgpack_object *type = find(element, "type");
    if (!type || type->type != MSGPACK_OBJECT_STR)
        return read;
    if (is_text(type, "put"))
        read.kind = right && read_put(element, &read.put) ? READ_PUT : READ_INVALID;
    else if (is_text(type, "report"))
        read.kind = right && read_report(element, &read) ? READ_REPORT : READ_INVALID;
    else
        read.kind = READ_UNSUPPORTED;
    return read;
}

/* -- writing: fields in the order of the tables, integers as short as can be ---------------- */

static void write_name(msgpack_packer *writer, const char *name)
{
    msgpack_pack_str_with_body(writer, name, strlen(name));
}

static void write_text(msgpack_packer *writer, const char *name, const char *text)
{
    write_name(writer, name);
    write_name(writer, text);
}

static void write_number(msgpack_packer *writer, const char *name, uint64_t number)
{
    write_name(writer, name);
    msgpack_pack_uint64(writer, number);
}

static void write_signed(msgpack_packer *writer, const char *name, int64_t number)
{
    write_name(writer, name);
    msgpack_pack_int64(writer, number);
}

static void write_digest(msgpack_packer *writer, const char *name, const uint8_t *digest)
{
    write_name(writer, name);
    msgpack_pack_bin_with_body(writer, digest ? (const void *)digest : "", digest ? DIGEST_BYTES : 0);
}

static void begin(msgpack_packer *writer, uint32_t fields, const char *type, const char *session,
                  uint64_t seq)
{
    msgpack_pack_map(writer, fields + 3);
    write_text(writer, "type", type);
    write_text(writer, "session", session);
    write_number(writer, "seq", seq);
}

void write_event(msgpack_packer *writer, const event *what, const char *session, uint64_t seq)
{
    switch (what->kind) {
    case HELLO:
    case HEARTBEAT:
        begin(writer, what->kind == HELLO ? 5 : 6, what->kind == HELLO ? "hello" : "heartbeat",
              session, seq);
        write_number(writer, "protocol", PROTOCOL_VERSION);
        write_text(writer, "level", "basic");
        write_text(writer, "firmware", what->firmware);
        write_number(writer, "capacity", what->capacity);
        write_number(writer, "clock", what->clock);
        if (what->kind == HEARTBEAT)
            write_number(writer, "queued", what->queued);
        break;
    case SEEN:
        begin(writer,
              5u + (what->battery_mv > 0) + (what->has_temperature ? 1 : 0) +
                  (what->has_rssi ? 1 : 0),
              "seen", session, seq);
        write_text(writer, "label", what->label);
        write_text(writer, "panel", what->panel);
        write_number(writer, "shown_rev", what->rev);
        write_digest(writer, "shown_digest", what->digest);
        write_number(writer, "incarnation", what->incarnation);
        if (what->battery_mv)
            write_number(writer, "battery_mv", what->battery_mv);
        if (what->has_temperature)
            write_signed(writer, "temperature_c", what->temperature_c);
        if (what->has_rssi)
            write_signed(writer, "rssi_dbm", what->rssi_dbm);
        break;
    case ACCEPTED:
        begin(writer, 1, "accepted", session, seq);
        write_number(writer, "id", what->id);
        break;
    case SHOWN:
        begin(writer, 6u + (what->battery_mv > 0) + (what->has_temperature ? 1 : 0), "shown",
              session, seq);
        write_number(writer, "id", what->id);
        write_text(writer, "label", what->label);
        write_number(writer, "rev", what->rev);
        write_digest(writer, "digest", what->digest);
        write_number(writer, "incarnation", what->incarnation);
        write_number(writer, "at", what->at);
        if (what->battery_mv)
            write_number(writer, "battery_mv", what->battery_mv);
        if (what->has_temperature)
            write_signed(writer, "temperature_c", what->temperature_c);
        break;
    case FAILED:
        begin(writer, 2u + (what->label ? 1 : 0) + (what->rev ? 1 : 0) + (what->detail ? 1 : 0),
              "failed", session, seq);
        write_number(writer, "id", what->id);
        write_text(writer, "code", what->code);
        if (what->label)
            write_text(writer, "label", what->label);
        if (what->rev)
            write_number(writer, "rev", what->rev);
        if (what->detail)
            write_text(writer, "detail", what->detail);
        break;
    }
}

void write_state(msgpack_packer *writer, bool online, const char *session, uint64_t since)
{
    msgpack_pack_map(writer, 3);
    write_name(writer, "online");
    online ? msgpack_pack_true(writer) : msgpack_pack_false(writer);
    write_text(writer, "session", session);
    write_number(writer, "since", since);
}
