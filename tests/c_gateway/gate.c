#include "gate.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

typedef struct {
    uint64_t version, counter, expires;
    id_text key_id, gateway, session;
} header;

static bool read_header(const uint8_t *bytes, size_t length, header *head)
{
    msgpack_unpacked read;
    size_t at = 0;
    msgpack_unpacked_init(&read);
    bool right = msgpack_unpack_next(&read, (const char *)bytes, length, &at) ==
                     MSGPACK_UNPACK_SUCCESS &&
                 read.data.type == MSGPACK_OBJECT_ARRAY && read.data.via.array.size == 6;
    if (right) {
        const msgpack_object *field = read.data.via.array.ptr;
        right = take_integer(&field[0], 0, 255, &head->version) &&
                copy_id(&field[1], head->key_id) && copy_id(&field[2], head->gateway) &&
                copy_id(&field[3], head->session) &&
                take_integer(&field[4], 1, INTEGER_MOST, &head->counter) &&
                take_integer(&field[5], 0, INTEGER_MOST, &head->expires);
    }
    msgpack_unpacked_destroy(&read);
    return right;
}

/* Takes the `bin` at `*at`: where its content lies, or NULL; moves `*at` behind it. */
static uint8_t *take_bin(uint8_t *payload, size_t length, size_t *at, size_t *size)
{
    size_t whole = measure(payload + *at, length - *at, 1);
    uint8_t head = whole ? payload[*at] : 0;
    if (head < 0xc4 || head > 0xc6)
        return NULL;
    size_t prefix = 1 + ((size_t)1 << (head - 0xc4));
    uint8_t *content = payload + *at + prefix;
    *size = whole - prefix;
    *at += whole;
    return content;
}

static bool is_key(const uint8_t key[PUBLIC_KEY_BYTES], const char *key_id)
{
    uint8_t hash[crypto_hash_sha256_BYTES];
    char name[9];
    crypto_hash_sha256(hash, key, PUBLIC_KEY_BYTES);
    snprintf(name, sizeof name, "%02x%02x%02x%02x", hash[0], hash[1], hash[2], hash[3]);
    return strcmp(name, key_id) == 0;
}

verdict admit(gate *door, uint8_t *payload, size_t length, uint64_t now, const char **body,
              size_t *body_length)
{
    if (length > PAYLOAD_MOST)
        return BAD_PAYLOAD;
    if (length < 1 || payload[0] != 0x93)
        return BAD_PAYLOAD;
    size_t at = 1, signature_length;
    size_t header_length = measure(payload + at, length - at, 1);
    uint8_t *begins = payload + at, *content, *signature;
    header head;
    at += header_length;
    if (header_length == 0 || !(content = take_bin(payload, length, &at, body_length)) ||
        !(signature = take_bin(payload, length, &at, &signature_length)) || at != length ||
        !read_header(begins, header_length, &head) || head.version != PROTOCOL_VERSION)
        return BAD_PAYLOAD;

    if (strcmp(head.gateway, door->gateway) != 0)
        return NOT_FOR_US;
    if (strcmp(head.session, door->session) != 0)
        return WRONG_SESSION;
    if (now >= head.expires)
        return EXPIRED;
    if (head.counter <= door->counter)
        return REPLAYED;

    /* What was signed is the header as it stands and the content of body: moved together. */
    uint8_t *message = content - header_length;
    memmove(message, begins, header_length);
    for (int i = 0; i < door->key_count; i++) {
        if (!is_key(door->keys[i], head.key_id))
            continue;
        if (signature_length != crypto_sign_BYTES ||
            crypto_sign_verify_detached(signature, message, header_length + *body_length,
                                        door->keys[i]) != 0)
            return BAD_SIGNATURE;
        door->counter = head.counter;
        *body = (const char *)content;
        return ADMIT;
    }
    return BAD_SIGNATURE;
}
