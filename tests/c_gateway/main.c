/* The gateway on a broker: connects as its enrolment says, and passes payloads to and fro.
 *
 *     c-gateway ENROLMENT.json [--labels N] [--panel ID] [--frame-bytes N] [--paint-ms N]
 *               [--beacon-s N] [--heartbeat-s N] [--capacity N]                              */
#include "gate.h"
#include "shop.h"

#include <MQTTClient.h>
#include <cjson/cJSON.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FIRMWARE "c-1"
#define KEEP_ALIVE_S 20
#define STEP_MS 50
#define HELLO_AGAIN_MS 10000
#define RECONNECT_MS 1000
#define BATCH_BYTES 32768 /* an `up` payload is sent when it is fuller than this */

static volatile sig_atomic_t stopping;

static void stop(int number)
{
    (void)number;
    stopping = 1;
}

static uint64_t milliseconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

typedef struct {
    char host[256], username[65], password[256];
    int port;
    bool tls;
    gate door;
    shop house;
    MQTTClient client;
    char topic_state[96], topic_up[96], topic_down[96];
    uint64_t seq, heartbeat_ms, next_heartbeat, hello_at, connections;
    char nonce[17];
    msgpack_sbuffer said; /* events not yet published, without the head of their array */
    uint32_t said_events;
} gateway;

/* -- speaking -------------------------------------------------------------------------------- */

static bool publish(gateway *it, const char *topic, const char *payload, size_t length,
                    bool retained)
{
    MQTTClient_deliveryToken token;
    MQTTResponse answer =
        MQTTClient_publish5(it->client, topic, (int)length, payload, 1, retained, NULL, &token);
    bool sent = answer.reasonCode == MQTTCLIENT_SUCCESS;
    MQTTResponse_free(answer);
    return sent;
}

static msgpack_sbuffer state_of(const gateway *it, bool online)
{
    msgpack_sbuffer bytes;
    msgpack_packer writer;
    msgpack_sbuffer_init(&bytes);
    msgpack_packer_init(&writer, &bytes, msgpack_sbuffer_write);
    write_state(&writer, online, it->door.session, milliseconds(CLOCK_REALTIME));
    return bytes;
}

static void publish_state(gateway *it, bool online)
{
    msgpack_sbuffer bytes = state_of(it, online);
    publish(it, it->topic_state, bytes.data, bytes.size, true);
    msgpack_sbuffer_destroy(&bytes);
}

static void flush(gateway *it)
{
    if (it->said_events == 0)
        return;
    msgpack_sbuffer payload;
    msgpack_packer writer;
    msgpack_sbuffer_init(&payload);
    msgpack_packer_init(&writer, &payload, msgpack_sbuffer_write);
    msgpack_pack_array(&writer, it->said_events);
    msgpack_sbuffer_write(&payload, it->said.data, it->said.size);
    publish(it, it->topic_up, payload.data, payload.size, false);
    msgpack_sbuffer_destroy(&payload);
    msgpack_sbuffer_clear(&it->said);
    it->said_events = 0;
}

static void say(void *listener, const event *what)
{
    gateway *it = listener;
    msgpack_packer writer;
    if (it->seq == 0)
        return; /* no session: nobody hears it */
    msgpack_packer_init(&writer, &it->said, msgpack_sbuffer_write);
    write_event(&writer, what, it->door.session, it->seq++);
    it->said_events++;
    if (it->said.size > BATCH_BYTES)
        flush(it);
}

static void greet(gateway *it, event_kind kind)
{
    event hello = {.kind = kind,
                   .firmware = FIRMWARE,
                   .capacity = it->house.capacity,
                   .clock = milliseconds(CLOCK_REALTIME),
                   .queued = it->house.in_hand};
    say(it, &hello);
    it->next_heartbeat = it->house.monotonic + it->heartbeat_ms;
    if (kind == HELLO)
        it->hello_at = it->house.monotonic;
}

/* -- one session ----------------------------------------------------------------------------- */

static void tell_time(gateway *it)
{
    it->house.now = milliseconds(CLOCK_REALTIME);
    it->house.monotonic = milliseconds(CLOCK_MONOTONIC);
}

static bool connect_to_broker(gateway *it)
{
    snprintf(it->door.session, sizeof it->door.session, "%s-%llu", it->nonce,
             (unsigned long long)++it->connections);
    it->door.counter = 0;
    msgpack_sbuffer will = state_of(it, false);
    MQTTClient_connectOptions options = MQTTClient_connectOptions_initializer5;
    MQTTClient_willOptions last = MQTTClient_willOptions_initializer;
    MQTTClient_SSLOptions ssl = MQTTClient_SSLOptions_initializer;
    last.topicName = it->topic_state;
    last.payload.data = will.data;
    last.payload.len = (int)will.size;
    last.qos = 1;
    last.retained = 1;
    options.will = &last;
    options.username = it->username;
    options.password = it->password;
    options.keepAliveInterval = KEEP_ALIVE_S;
    options.cleanstart = 1;
    ssl.verify = 1;
    if (it->tls)
        options.ssl = &ssl;
    MQTTResponse answer = MQTTClient_connect5(it->client, &options, NULL, NULL);
    msgpack_sbuffer_destroy(&will);
    bool connected = answer.reasonCode == MQTTREASONCODE_SUCCESS;
    if (!connected)
        fprintf(stderr, "the broker did not let us in: %d\n", answer.reasonCode);
    MQTTResponse_free(answer);
    if (!connected)
        return false;
    answer = MQTTClient_subscribe5(it->client, it->topic_down, 1, NULL, NULL);
    bool subscribed = answer.reasonCode == MQTTREASONCODE_GRANTED_QOS_1;
    MQTTResponse_free(answer);
    return subscribed;
}

static void receive(gateway *it, MQTTClient_message *message)
{
    const char *body;
    size_t length;
    tell_time(it);
    if (message->retained)
        return; /* commands are never retained */
    verdict judged = admit(&it->door, message->payload, (size_t)message->payloadlen,
                           it->house.now, &body, &length);
    if (judged == ADMIT)
        obey(&it->house, body, length);
    else if (judged == WRONG_SESSION && it->house.monotonic >= it->hello_at + HELLO_AGAIN_MS)
        greet(it, HELLO);
}

static void live(gateway *it)
{
    if (!connect_to_broker(it))
        return;
    tell_time(it);
    publish_state(it, true);
    it->seq = 1;
    greet(it, HELLO);
    report_all(&it->house);
    flush(it);
    printf("session %s\n", it->door.session);
    fflush(stdout);
    while (!stopping && MQTTClient_isConnected(it->client)) {
        char *topic = NULL;
        int topic_length;
        MQTTClient_message *message = NULL;
        MQTTClient_receive(it->client, &topic, &topic_length, &message, STEP_MS);
        if (message) {
            if (strcmp(topic, it->topic_down) == 0)
                receive(it, message);
            MQTTClient_freeMessage(&message);
            MQTTClient_free(topic);
        }
        tell_time(it);
        pass_time(&it->house);
        if (it->house.monotonic >= it->next_heartbeat)
            greet(it, HEARTBEAT);
        flush(it);
    }
    it->seq = 0;
    if (stopping)
        publish_state(it, false);
    MQTTClient_disconnect5(it->client, 1000, MQTTREASONCODE_NORMAL_DISCONNECTION, NULL);
}

/* -- the enrolment file ---------------------------------------------------------------------- */

static bool copy_text(const cJSON *file, const char *name, char *into, size_t room)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(file, name));
    if (!text || strlen(text) >= room)
        return false;
    memcpy(into, text, strlen(text) + 1);
    return true;
}

static bool read_keys(const cJSON *keys, gate *door)
{
    const cJSON *key;
    cJSON_ArrayForEach(key, keys)
    {
        size_t length;
        const char *text = cJSON_GetStringValue(key);
        if (!text || door->key_count == KEYS_MOST ||
            sodium_base642bin(door->keys[door->key_count], PUBLIC_KEY_BYTES, text, strlen(text),
                              NULL, &length, NULL, sodium_base64_VARIANT_ORIGINAL) != 0 ||
            length != PUBLIC_KEY_BYTES)
            return false;
        door->key_count++;
    }
    return door->key_count > 0;
}

static bool read_enrolment(const char *path, gateway *it)
{
    static char text[65536];
    FILE *file = fopen(path, "rb");
    if (!file)
        return false;
    size_t length = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[length] = '\0';
    cJSON *read = cJSON_Parse(text);
    const cJSON *port = cJSON_GetObjectItemCaseSensitive(read, "port");
    bool right =
        copy_text(read, "gateway", it->door.gateway, sizeof it->door.gateway) &&
        is_id(it->door.gateway, strlen(it->door.gateway)) &&
        copy_text(read, "host", it->host, sizeof it->host) &&
        copy_text(read, "username", it->username, sizeof it->username) &&
        copy_text(read, "password", it->password, sizeof it->password) && cJSON_IsNumber(port) &&
        read_keys(cJSON_GetObjectItemCaseSensitive(read, "keys"), &it->door);
    if (right) {
        it->port = port->valueint;
        it->tls = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(read, "tls"));
    }
    cJSON_Delete(read);
    return right;
}

/* -- the command line ------------------------------------------------------------------------ */

static long number(int count, char **words, const char *name, long otherwise)
{
    for (int i = 2; i + 1 < count; i++)
        if (strcmp(words[i], name) == 0)
            return atol(words[i + 1]);
    return otherwise;
}

int main(int count, char **words)
{
    static gateway it;
    if (count < 2 || !read_enrolment(words[1], &it) || sodium_init() < 0) {
        fprintf(stderr, "usage: c-gateway ENROLMENT.json [--labels N] [--panel ID] …\n");
        return 2;
    }
    const char *panel = "bwry-296x128";
    for (int i = 2; i + 1 < count; i++)
        if (strcmp(words[i], "--panel") == 0)
            panel = words[i + 1];
    snprintf(it.house.panel.panel, sizeof it.house.panel.panel, "%s", panel);
    it.house.panel.frame_bytes = (size_t)number(count, words, "--frame-bytes", 296 * 128 / 4);
    it.house.panel.slots = 2;
    it.house.panel.window_bits = 12;
    it.house.paint_ms = (uint64_t)number(count, words, "--paint-ms", 2000);
    it.house.beacon_ms = (uint64_t)number(count, words, "--beacon-s", 60) * 1000;
    it.house.capacity = (size_t)number(count, words, "--capacity", 32);
    it.heartbeat_ms = (uint64_t)number(count, words, "--heartbeat-s", 20) * 1000;
    it.house.tell = say;
    it.house.listener = &it;
    msgpack_sbuffer_init(&it.said);
    tell_time(&it);
    snprintf(it.nonce, sizeof it.nonce, "%08x%08x", randombytes_random(), randombytes_random());
    snprintf(it.topic_state, sizeof it.topic_state, "esl/v1/%s/state", it.door.gateway);
    snprintf(it.topic_up, sizeof it.topic_up, "esl/v1/%s/up", it.door.gateway);
    snprintf(it.topic_down, sizeof it.topic_down, "esl/v1/%s/down", it.door.gateway);
    if (!open_shop(&it.house, it.door.gateway,
                               (size_t)number(count, words, "--labels", 4)))
        return 1;

    char address[300];
    snprintf(address, sizeof address, "%s://%s:%d", it.tls ? "ssl" : "tcp", it.host, it.port);
    MQTTClient_createOptions create = MQTTClient_createOptions_initializer;
    create.MQTTVersion = MQTTVERSION_5;
    if (MQTTClient_createWithOptions(&it.client, address, it.door.gateway,
                                     MQTTCLIENT_PERSISTENCE_NONE, NULL, &create) !=
        MQTTCLIENT_SUCCESS)
        return 1;
    signal(SIGINT, stop);
    signal(SIGTERM, stop);
    while (!stopping) {
        live(&it);
        if (!stopping)
            nanosleep(&(struct timespec){.tv_nsec = RECONNECT_MS * 1000000L - 1}, NULL);
    }
    MQTTClient_destroy(&it.client);
    close_shop(&it.house);
    msgpack_sbuffer_destroy(&it.said);
    return 0;
}
