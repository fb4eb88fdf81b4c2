// SPDX-License-Identifier: MIT OR Apache-2.0
//
// One function says what a domain may do with a region, rights_of(). Plans are made of it, and requests are judged by it, so
// that hardware and judgement cannot differ; mete_domain_check() compares them. Who owns what is a byte for each region, in
// the caller's table: a transfer changes that byte, and makes the plans of both anew.
//
// A gate serves one call at a time. So what has to be remembered of a call is kept with the gate, and the calls that a task is
// in are linked by it, from gate to gate: no stack of them can run over, and no chain is longer than there are gates.

#include "mete/protect/domain.h"

#include "mete/protect/domain_config.h"
#include "mete/protect/domain_policy.h"

#define IS_CHECKED (METE_CHECK_LEVEL >= 1)

// Paranoid: whoever was moved is where the books say.
#if METE_CHECK_LEVEL >= 3
#define CHECK_ALL(domains) \
    (mete_domain_check(domains) ? (void)0 : (void)(METE_FAULT(METE_FAULT_CORRUPT, (domains), NULL)))
#else
#define CHECK_ALL(domains) ((void)0)
#endif

_Static_assert(METE_DOMAIN_GATE_MAX < (unsigned)NO_GATE, "no gate is none");
_Static_assert(METE_DOMAIN_MAX <= METE_DOMAIN_COMMON, "no domain is all of them");

static bool allows(const mete_domain_t *domains, const task_t *task, uintptr_t start, size_t size,
                   uint32_t access)
{
    const config_t *const config = domains->config;
    for (size_t i = 0U; (size != 0U) && (i < config->region_count); i++) {
        if (has_all(&config->regions[i], start, size)) {
            return (access & ~rights_of(config, i, task->domain, task->gate != NO_GATE)) == 0U;
        }
    }
    return size == 0U;
}

// ---- Plans

static const books_t *books_of(const config_t *config, size_t domain, bool is_in_gate)
{
    const member_t *const member = &config->members[domain];
    return (is_in_gate && (member->gate_books != NULL)) ? member->gate_books : member->books;
}

static const mete_plan_t *plan_of(const config_t *config, size_t domain, size_t gate)
{
    return &books_of(config, domain, gate != NO_GATE)->plan;
}

// Common regions without rights are wished for, too: something has to take them away.
static bool is_wished_for(const config_t *config, size_t index, size_t domain, bool is_in_gate)
{
    return (config->owners[index] == METE_DOMAIN_COMMON) ||
           (rights_of(config, index, domain, is_in_gate) != 0U);
}

static void set_wish(mete_plan_wish_t *wish, const region_t *region, uint32_t rights)
{
    wish->name = region->name;
    wish->start = region->start;
    wish->last = region->start + region->size - 1U;
    wish->rights.unprivileged = (uint8_t)rights;
    wish->rights.privileged = (uint8_t)rights;
    wish->memory = region->memory;
    wish->waste_max = 0U;
}

static bool wish_all(const config_t *config, books_t *books, size_t domain, bool is_in_gate)
{
    books->config.wish_count = 0U;
    for (size_t i = 0U; i < config->region_count; i++) {
        if (is_wished_for(config, i, domain, is_in_gate)) {
            if (books->config.wish_count == books->wish_max) {
                return false;
            }
            set_wish(&books->wishes[books->config.wish_count], &config->regions[i],
                     rights_of(config, i, domain, is_in_gate));
            books->config.wish_count++;
        }
    }
    return true;
}

static void clear_plan_result(mete_plan_result_t *result)
{
    result->verdict = METE_PLAN_FITS;
    result->wish = NULL;
    result->other = NULL;
    result->start = 0U;
    result->last = 0U;
}

// Field by field: to assign the whole may become a call to memcpy(), which is libc.
static bool make_plan(const config_t *config, books_t *books, size_t domain, bool is_in_gate,
                      mete_plan_result_t *result)
{
    clear_plan_result(result);
    if (!wish_all(config, books, domain, is_in_gate)) {
        result->verdict = METE_PLAN_FULL;
        return false;
    }
    const mete_plan_result_t made = mete_plan_init(&books->plan, &books->config);
    result->verdict = made.verdict;
    result->wish = made.wish;
    result->other = made.other;
    result->start = made.start;
    result->last = made.last;
    return made.verdict == METE_PLAN_FITS;
}

static bool make_plans(const config_t *config, size_t domain, mete_plan_result_t *result)
{
    const member_t *const member = &config->members[domain];
    return make_plan(config, member->books, domain, false, result) &&
           ((member->gate_books == NULL) ||
            make_plan(config, member->gate_books, domain, true, result));
}

static void set_up_books(const config_t *config, books_t *books)
{
    size_t image_max = books->image_max;
    if ((config->mpu.ops != NULL) && (mete_mpu_region_count(config->mpu) < image_max)) {
        image_max = mete_mpu_region_count(config->mpu);
    }
    books->config.backend = config->backend;
    books->config.wishes = books->wishes;
    books->config.wish_count = 0U;
    books->config.shares = books->shares;
    books->config.images = books->images;
    books->config.ranges = books->ranges;
    books->config.image_max = image_max;
    books->config.has_background = true;  // The kernel's memory.
}

// ---- Init

static void set_up_tables(const config_t *config)
{
    for (size_t i = 0U; i < config->region_count; i++) {
        config->owners[i] = config->regions[i].owner;
    }
    for (size_t i = 0U; i < config->gate_count; i++) {
        config->calls[i].task = NULL;
    }
    mete_words_fill(config->usages, 0U, config->member_count * sizeof *config->usages);
}

static bool make_all_plans(const config_t *config, result_t *result)
{
    for (size_t i = 0U; i < config->member_count; i++) {
        const member_t *const member = &config->members[i];
        set_up_books(config, member->books);
        if (member->gate_books != NULL) {
            set_up_books(config, member->gate_books);
        }
        if (!make_plans(config, i, &result->plan)) {
            set_result(result, METE_DOMAIN_NO_PLAN, i, i);
            return false;
        }
    }
    return true;
}

static bool is_as_wished(const config_t *config, const books_t *books, size_t domain,
                         bool is_in_gate)
{
    const mete_plan_config_t *const made = books->plan.config;
    size_t count = 0U;
    for (size_t i = 0U; i < config->region_count; i++) {
        if (is_wished_for(config, i, domain, is_in_gate)) {
            const uint32_t rights = rights_of(config, i, domain, is_in_gate);
            if ((count == made->wish_count) ||
                (made->wishes[count].start != config->regions[i].start) ||
                (made->wishes[count].rights.unprivileged != rights)) {
                return false;
            }
            count++;
        }
    }
    return (count == made->wish_count) && mete_plan_check(&books->plan);
}

// The first domain with a plan that does not say what the policy says, or member_count.
static size_t find_unsound(const config_t *config)
{
    size_t i = 0U;
    while ((i < config->member_count) && is_as_wished(config, config->members[i].books, i, false) &&
           ((config->members[i].gate_books == NULL) ||
            is_as_wished(config, config->members[i].gate_books, i, true))) {
        i++;
    }
    return i;
}

// What stands for hardware where there is none.
static void commit_nothing(void *self, const mete_mpu_image_t *images, size_t image_count,
                           bool has_background)
{
    (void)self;
    (void)images;
    (void)image_count;
    (void)has_background;
}

static void set_up(mete_domain_t *domains, const config_t *config)
{
    static const mete_mpu_ops_t no_hardware = {METE_MPU_PAGES, commit_nothing, NULL, NULL};
    domains->running = NULL;
    domains->mpu.ops = (config->mpu.ops != NULL) ? config->mpu.ops : &no_hardware;
    domains->mpu.self = config->mpu.self;
    domains->observer.on_event = config->observer.on_event;
    domains->observer.self = config->observer.self;
    domains->switched.kind = METE_EVENT_SWITCH;
    domains->switched.source = domains;
    domains->switched.block = NULL;
    domains->switched.size = METE_DOMAIN_COMMON;
    domains->switched.caller = NULL;
    domains->config = config;
    domains->last.request = METE_DOMAIN_NOTHING;
}

mete_domain_result_t mete_domain_init(mete_domain_t *domains, const mete_domain_config_t *config)
{
    METE_ASSERT(domains != NULL);
    result_t result;
    set_result(&result, METE_DOMAIN_READY, 0U, 0U);
    clear_plan_result(&result.plan);
    if (judge(domains, config, &result)) {
        set_up_tables(config);
        if (make_all_plans(config, &result)) {
            set_up(domains, config);
            const size_t unsound = find_unsound(config);
            if (unsound != config->member_count) {
                set_result(&result, METE_DOMAIN_BAD_MEMBER, unsound, unsound);
            }
        }
    }
    const mete_plan_result_t *const plan = &result.plan;
    return (result_t){result.verdict,
                      result.index,
                      result.other,
                      {plan->verdict, plan->wish, plan->other, plan->start, plan->last}};
}

static void put(const config_t *config, task_t *task, uint8_t domain, uint8_t gate)
{
    task->domain = domain;
    task->gate = gate;
    task->plan = plan_of(config, domain, gate);
    task->usage = &config->usages[domain];
}

bool mete_domain_add(const mete_domain_t *domains, mete_domain_task_t *task, size_t home)
{
    METE_ASSERT((domains != NULL) && (domains->config != NULL) && (task != NULL));
    const config_t *const config = domains->config;
    if ((home >= config->member_count) ||
        (find_exposed(config, task, sizeof *task) != config->region_count)) {
        return false;
    }
    task->home = (uint8_t)home;
    put(config, task, (uint8_t)home, NO_GATE);
    return true;
}

// ---- Telling

static void tell(const mete_domain_t *domains, mete_event_kind_t kind, uintptr_t block, size_t size)
{
    if (domains->observer.on_event != NULL) {
        const mete_event_t event = {kind, domains, (const void *)block, size, NULL};
        domains->observer.on_event(domains->observer.self, &event);
    }
}

static mete_domain_answer_t refuse(mete_domain_t *domains, mete_domain_request_t request,
                                   mete_domain_answer_t answer, uintptr_t address, uint8_t owner)
{
    const task_t *const task = domains->running;
    domains->last.request = request;
    domains->last.answer = answer;
    domains->last.caller = (task != NULL) ? task->domain : (uint8_t)METE_DOMAIN_COMMON;
    domains->last.owner = owner;
    domains->last.address = address;
    if (task != NULL) {
        task->usage->refusal_count++;
    }
    tell(domains, METE_EVENT_FAULT, address, METE_FAULT_ACCESS);
    return answer;
}

// Of an address.
static mete_domain_answer_t refuse_at(mete_domain_t *domains, mete_domain_request_t request,
                                      mete_domain_answer_t answer, uintptr_t address)
{
    return refuse(domains, request, answer, address, mete_domain_owner_of(domains, address));
}

static mete_domain_answer_t run_out(const mete_domain_t *domains, mete_domain_answer_t answer,
                                    size_t size)
{
    tell(domains, METE_EVENT_REFUSE, 0U, size);
    return answer;
}

// ---- Who runs

static inline void commit(const mete_domain_t *domains, const mete_plan_t *plan)
{
    domains->mpu.ops->commit(domains->mpu.self, plan->images, plan->image_count, true);
}

void mete_domain_switch(mete_domain_t *domains, mete_domain_task_t *task)
{
    METE_ASSERT((domains != NULL) && (domains->config != NULL) && (task != NULL));
    METE_ASSERT(task->plan == plan_of(domains->config, task->domain, task->gate));
    domains->running = task;
    task->usage->switch_count++;
    commit(domains, task->plan);
    if (domains->switched.size != task->domain) {
        domains->switched.size = task->domain;
        if (domains->observer.on_event !=
            NULL) {  // The event is ready: everybody waits for a switch.
            domains->observer.on_event(domains->observer.self, &domains->switched);
        }
    }
}

static void go(mete_domain_t *domains, task_t *task, uint8_t domain, uint8_t gate)
{
    put(domains->config, task, domain, gate);
    if (task == domains->running) {
        mete_domain_switch(domains, task);
    }
}

// ---- Gates

static uint32_t access_of(uint32_t kind)
{
    return ((kind == METE_DOMAIN_IN)    ? (uint32_t)METE_ACCESS_READ
            : (kind == METE_DOMAIN_OUT) ? (uint32_t)METE_ACCESS_WRITE
                                        : (uint32_t)READ_WRITE);
}

// A span's size stands behind it, and is judged by itself. Spans are never last.
static bool is_tame(const mete_domain_t *domains, const gate_t *gate, const uintptr_t *arguments,
                    size_t i)
{
    const mete_domain_argument_t *const argument = &gate->arguments[i];
    switch ((mete_domain_argument_kind_t)argument->kind) {
    case METE_DOMAIN_VALUE:
    case METE_DOMAIN_SIZE:
        return arguments[i] <= argument->limit;
    case METE_DOMAIN_IN:
    case METE_DOMAIN_OUT:
    case METE_DOMAIN_IN_OUT:
        return allows(domains, domains->running, arguments[i], arguments[i + 1U],
                      access_of(argument->kind));
    default:
        return true;
    }
}

// The first argument that is wild, or METE_DOMAIN_ARGUMENT_MAX.
static size_t find_wild(const mete_domain_t *domains, const gate_t *gate,
                        const uintptr_t *arguments)
{
    size_t i = 0U;
    while ((i < METE_DOMAIN_ARGUMENT_MAX) && is_tame(domains, gate, arguments, i)) {
        i++;
    }
    return i;
}

// What the callee gets. Copied under its own plan: there the buffer can be written, and the caller's memory is the
// kernel's to read, whether the plan has it to read or not at all.
static void hand_over(const gate_t *gate, const call_t *call, uintptr_t *arguments)
{
    uintptr_t place = (uintptr_t)gate->buffer.start;
    for (size_t i = 0U; i < METE_DOMAIN_ARGUMENT_MAX; i++) {
        const uint32_t kind = gate->arguments[i].kind;
        if (kind == METE_DOMAIN_UNUSED) {
            arguments[i] = 0U;
        } else if (is_span(kind)) {
            const size_t size = call->arguments[i + 1U];
            if ((size != 0U) && (kind == METE_DOMAIN_OUT)) {
                mete_words_fill((void *)place, 0U, size);
            } else if (size != 0U) {
                mete_words_move((void *)place, (const void *)call->arguments[i], size);
            }
            arguments[i] = place;
            place += room_of(gate, i);
        }
    }
}

// What the caller gets, if it still may: meanwhile its memory may have been given away. Copied under its plan, as above.
static void hand_back(const mete_domain_t *domains, const gate_t *gate, const call_t *call)
{
    uintptr_t place = (uintptr_t)gate->buffer.start;
    for (size_t i = 0U; i < METE_DOMAIN_ARGUMENT_MAX; i++) {
        const uint32_t kind = gate->arguments[i].kind;
        if (is_span(kind)) {
            const uintptr_t to = call->arguments[i];
            const size_t size = call->arguments[i + 1U];
            if ((kind != METE_DOMAIN_IN) && (size != 0U) &&
                allows(domains, domains->running, to, size, METE_ACCESS_WRITE)) {
                mete_words_move((void *)to, (const void *)place, size);
            }
            place += room_of(gate, i);
        }
    }
}

static void begin(mete_domain_t *domains, const gate_t *gate, call_t *call,
                  const uintptr_t *arguments)
{
    task_t *const task = domains->running;
    call->task = task;
    call->domain = task->domain;
    call->gate = task->gate;
    for (size_t i = 0U; i < METE_DOMAIN_ARGUMENT_MAX; i++) {
        call->arguments[i] = arguments[i];
    }
    task->usage->call_count++;
    go(domains, task, gate->domain, (uint8_t)(gate - domains->config->gates));
}

// The gate is free again, and nothing of the call is left in its buffer.
static void end(const gate_t *gate, call_t *call)
{
    if (gate->buffer.size != 0U) {
        mete_words_fill(gate->buffer.start, 0U, gate->buffer.size);
    }
    call->task = NULL;
}

mete_domain_answer_t mete_domain_enter(mete_domain_t *domains, size_t gate,
                                       uintptr_t arguments[METE_DOMAIN_ARGUMENT_MAX])
{
    METE_ASSERT((domains != NULL) && (domains->config != NULL) && (arguments != NULL));
    const config_t *const config = domains->config;
    if ((domains->running == NULL) || (gate >= config->gate_count)) {
        return refuse(domains, METE_DOMAIN_CALL, METE_DOMAIN_ABSENT, gate, METE_DOMAIN_COMMON);
    }
    const gate_t *const called = &config->gates[gate];
    if (!is_in(called->callers, domains->running->domain)) {
        return refuse(domains, METE_DOMAIN_CALL, METE_DOMAIN_FORBIDDEN, gate, called->domain);
    }
    const size_t wild = find_wild(domains, called, arguments);
    if (wild != METE_DOMAIN_ARGUMENT_MAX) {
        return refuse_at(domains, METE_DOMAIN_CALL, METE_DOMAIN_WILD, arguments[wild]);
    }
    if (config->calls[gate].task != NULL) {
        return run_out(domains, METE_DOMAIN_BUSY, gate);
    }
    begin(domains, called, &config->calls[gate], arguments);
    hand_over(called, &config->calls[gate], arguments);
    CHECK_ALL(domains);
    return METE_DOMAIN_DONE;
}

mete_domain_answer_t mete_domain_leave(mete_domain_t *domains)
{
    METE_ASSERT((domains != NULL) && (domains->config != NULL));
    const config_t *const config = domains->config;
    task_t *const task = domains->running;
    if ((task == NULL) || (task->gate == NO_GATE)) {
        return refuse(domains, METE_DOMAIN_LEAVE, METE_DOMAIN_ABSENT, NO_GATE, METE_DOMAIN_COMMON);
    }
    const gate_t *const gate = &config->gates[task->gate];
    call_t *const call = &config->calls[task->gate];
    go(domains, task, call->domain, call->gate);
    hand_back(domains, gate, call);
    end(gate, call);
    CHECK_ALL(domains);
    return METE_DOMAIN_DONE;
}

void mete_domain_reset(mete_domain_t *domains, mete_domain_task_t *task)
{
    METE_ASSERT((domains != NULL) && (domains->config != NULL) && (task != NULL));
    const config_t *const config = domains->config;
    size_t gate = task->gate;
    go(domains, task, task->home, NO_GATE);
    for (size_t left = config->gate_count; (gate < config->gate_count) && (left != 0U); left--) {
        call_t *const call = &config->calls[gate];
        const size_t outer = call->gate;
        end(&config->gates[gate], call);
        gate = outer;
    }
    CHECK_ALL(domains);
}

// ---- Memory

static bool has(const mete_domain_t *domains, uintptr_t start, size_t size)
{
    return (domains->running != NULL) && allows(domains, domains->running, start, size, READ_WRITE);
}

bool mete_domain_allows(const mete_domain_t *domains, uintptr_t start, size_t size, uint32_t access)
{
    METE_ASSERT((domains != NULL) && (domains->config != NULL));
    return (domains->running != NULL) && allows(domains, domains->running, start, size, access);
}

static mete_alloc_t alloc_of(const mete_domain_t *domains)
{
    static const mete_alloc_t none = {NULL, NULL};
    const task_t *const task = domains->running;
    return (task != NULL) ? domains->config->members[task->domain].alloc : none;
}

void *mete_domain_acquire(mete_domain_t *domains, size_t size, size_t align)
{
    METE_ASSERT((domains != NULL) && (domains->config != NULL));
    const mete_alloc_t alloc = alloc_of(domains);
    if ((alloc.ops == NULL) || (size == 0U) || !mete_align_is_legal(align)) {
        (void)refuse(domains, METE_DOMAIN_ACQUIRE, METE_DOMAIN_WILD, size, METE_DOMAIN_COMMON);
        return NULL;
    }
    void *const block = alloc.ops->acquire(alloc.self, size, align);
    if (block == NULL) {
        (void)run_out(domains, METE_DOMAIN_FULL, size);
        return NULL;
    }
    if (IS_CHECKED && !has(domains, (uintptr_t)block, size)) {
        alloc.ops->release(alloc.self, block, size, align);
        METE_FAULT(METE_FAULT_CORRUPT, (const void *)alloc.self, (const void *)block);
        return NULL;
    }
    tell(domains, METE_EVENT_ACQUIRE, (uintptr_t)block, size);
    return block;
}

// What may be asked of the domain's allocator. DONE: it may.
static mete_domain_answer_t judge_block(mete_domain_t *domains, mete_domain_request_t request,
                                        uintptr_t block, size_t size, size_t align)
{
    if ((alloc_of(domains).ops == NULL) || (size == 0U) || !mete_align_is_legal(align)) {
        return refuse_at(domains, request, METE_DOMAIN_WILD, block);
    }
    if (!has(domains, block, size)) {
        return refuse_at(domains, request, METE_DOMAIN_FORBIDDEN, block);
    }
    return METE_DOMAIN_DONE;
}

mete_domain_answer_t mete_domain_release(mete_domain_t *domains, void *block, size_t size,
                                         size_t align)
{
    METE_ASSERT((domains != NULL) && (domains->config != NULL));
    const uintptr_t start = (uintptr_t)block;
    const mete_domain_answer_t answer =
        judge_block(domains, METE_DOMAIN_RELEASE, start, size, align);
    if (answer != METE_DOMAIN_DONE) {
        return answer;
    }
    const mete_alloc_t alloc = alloc_of(domains);
    // To the size that it has: true of every block that is held. What is not, the allocator reports.
    if ((alloc.ops->resize != NULL) && !alloc.ops->resize(alloc.self, block, size, size, align)) {
        return refuse_at(domains, METE_DOMAIN_RELEASE, METE_DOMAIN_FORBIDDEN, start);
    }
    alloc.ops->release(alloc.self, block, size, align);
    tell(domains, METE_EVENT_RELEASE, start, size);
    return METE_DOMAIN_DONE;
}

mete_domain_answer_t mete_domain_resize(mete_domain_t *domains, void *block, size_t old_size,
                                        size_t new_size, size_t align)
{
    METE_ASSERT((domains != NULL) && (domains->config != NULL));
    const uintptr_t start = (uintptr_t)block;
    const mete_domain_answer_t answer =
        judge_block(domains, METE_DOMAIN_RESIZE, start, (new_size != 0U) ? old_size : 0U, align);
    if (answer != METE_DOMAIN_DONE) {
        return answer;
    }
    const mete_alloc_t alloc = alloc_of(domains);
    if ((alloc.ops->resize == NULL) ||
        !alloc.ops->resize(alloc.self, block, old_size, new_size, align)) {
        return run_out(domains, METE_DOMAIN_FULL, new_size);
    }
    if (IS_CHECKED && !has(domains, start, new_size)) {
        (void)alloc.ops->resize(alloc.self, block, new_size, old_size, align);
        METE_FAULT(METE_FAULT_CORRUPT, (const void *)alloc.self, (const void *)block);
        return METE_DOMAIN_FULL;
    }
    tell(domains, METE_EVENT_RESIZE, start, new_size);
    return METE_DOMAIN_DONE;
}

// ---- Regions that change hands

static mete_domain_answer_t judge_transfer(const mete_domain_t *domains, size_t index,
                                           size_t receiver)
{
    const config_t *const config = domains->config;
    if ((domains->running == NULL) || (index >= config->region_count) ||
        (receiver >= config->member_count)) {
        return METE_DOMAIN_ABSENT;
    }
    const region_t *const region = &config->regions[index];
    return (has(domains, region->start, region->size) && is_in(region->receivers, receiver) &&
            (receiver != domains->running->domain))
               ? METE_DOMAIN_DONE
               : METE_DOMAIN_FORBIDDEN;
}

// Of all: who reads what is shared may lose or gain it, too.
static bool make_plans_anew(const config_t *config)
{
    bool is_made = true;
    for (size_t i = 0U; i < config->member_count; i++) {
        mete_plan_result_t result;
        is_made = make_plans(config, i, &result) && is_made;
    }
    return is_made;
}

mete_domain_answer_t mete_domain_transfer(mete_domain_t *domains, size_t region, size_t receiver)
{
    METE_ASSERT((domains != NULL) && (domains->config != NULL));
    const config_t *const config = domains->config;
    const mete_domain_answer_t answer = judge_transfer(domains, region, receiver);
    if (answer != METE_DOMAIN_DONE) {
        return refuse(domains, METE_DOMAIN_TRANSFER, answer, region,
                      (region < config->region_count) ? config->owners[region]
                                                      : (uint8_t)METE_DOMAIN_COMMON);
    }
    const region_t *const given = &config->regions[region];
    const uint8_t giver = config->owners[region];
    config->owners[region] = (uint8_t)receiver;
    if (!make_plans_anew(config)) {
        config->owners[region] = giver;
        (void)make_plans_anew(config);  // As they were: what fitted once fits again.
        return run_out(domains, METE_DOMAIN_FULL, given->size);
    }
    // The hardware still holds the giver's old plan, under which the kernel may write here.
    mete_words_fill((void *)given->start, 0U, given->size);
    commit(domains, domains->running->plan);
    tell(domains, METE_EVENT_RELEASE, given->start, given->size);
    CHECK_ALL(domains);
    return METE_DOMAIN_DONE;
}

// ---- What is known

uint32_t mete_domain_owner(void *self)
{
    const mete_domain_t *const domains = self;
    return (domains->running != NULL) ? domains->running->domain : METE_DOMAIN_COMMON;
}

uint8_t mete_domain_owner_of(const mete_domain_t *domains, uintptr_t address)
{
    METE_ASSERT((domains != NULL) && (domains->config != NULL));
    const config_t *const config = domains->config;
    for (size_t i = 0U; i < config->region_count; i++) {
        if (has_all(&config->regions[i], address, 1U)) {
            return config->owners[i];
        }
    }
    return METE_DOMAIN_COMMON;
}

mete_domain_usage_t mete_domain_usage(const mete_domain_t *domains, size_t domain)
{
    METE_ASSERT((domains != NULL) && (domains->config != NULL));
    const bool is_there = domain < domains->config->member_count;
    const mete_domain_usage_t *const kept = &domains->config->usages[is_there ? domain : 0U];
    mete_domain_usage_t usage;
    usage.switch_count = is_there ? kept->switch_count : 0U;
    usage.call_count = is_there ? kept->call_count : 0U;
    usage.refusal_count = is_there ? kept->refusal_count : 0U;
    return usage;
}

const mete_domain_refusal_t *mete_domain_last(const mete_domain_t *domains)
{
    METE_ASSERT(domains != NULL);
    return (domains->last.request != METE_DOMAIN_NOTHING) ? &domains->last : NULL;
}

// ---- Two views of one truth

static bool are_owners_legal(const config_t *config)
{
    bool is_right = true;
    for (size_t i = 0U; i < config->region_count; i++) {
        const uint8_t owner = config->owners[i];
        is_right = is_right &&
                   ((owner == config->regions[i].owner) ||
                    ((owner < config->member_count) && is_in(config->regions[i].receivers, owner)));
    }
    return is_right;
}

// From gate to gate, back home.
static bool is_task_sound(const config_t *config, const task_t *task)
{
    size_t domain = task->domain;
    size_t gate = task->gate;
    size_t left = config->gate_count;
    while ((gate < config->gate_count) && (left != 0U) && (config->calls[gate].task == task) &&
           (config->gates[gate].domain == domain)) {
        domain = config->calls[gate].domain;
        gate = config->calls[gate].gate;
        left--;
    }
    return (gate == NO_GATE) && (domain == task->home) && (domain < config->member_count) &&
           (task->plan == plan_of(config, task->domain, task->gate)) &&
           (task->usage == &config->usages[task->domain]);
}

bool mete_domain_check(const mete_domain_t *domains)
{
    METE_ASSERT(domains != NULL);
    const config_t *const config = domains->config;
    return (config != NULL) && are_owners_legal(config) &&
           (find_unsound(config) == config->member_count) &&
           ((domains->running == NULL) || is_task_sound(config, domains->running));
}
