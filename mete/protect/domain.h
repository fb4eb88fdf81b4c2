// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_DOMAIN_H
#define METE_DOMAIN_H

/// Isolation domains: parts of a program that do not trust each other, each with memory, an allocator and a security level of
/// its own, and with gates as the only way from one into another.
///
/// For a kernel, which asks here before it does anything for a task. What hardware can hold a task to is in the plan of its
/// domain, made once; a switch writes it to the protection unit in one burst. What hardware cannot judge, which is every
/// request to the kernel, is judged here by the same policy.
///
///     static const mete_domain_config_t config = {.members = members, .member_count = 2, .regions = regions, ...};
///     const mete_domain_result_t result = mete_domain_init(&domains, &config);
///     mete_domain_add(&domains, &task->place, KEYS);
///     mete_domain_switch(&domains, &task->place);                           // The scheduler: it runs from now on.
///     answer = mete_domain_enter(&domains, gate, registers);                // It calls a gate: registers are checked,
///     if (answer == METE_DOMAIN_DONE) { jump(gates[gate].entry, registers); }
///     mete_domain_leave(&domains);                                          // and it comes back.
///
/// The policy. A domain has a region's rights if
///
///   the region is common       rights as stated: code, constants; never to write. No rights: taken away from all
///   it owns the region         rights as stated; of a gate-only one, only while a task is inside one of its gates
///   the region is read-shared  to read, if its level is at least that of the owner: nobody reads upwards
///   otherwise                  none
///
/// No region can be written to and executed. Only an owner writes, acquires, releases, resizes, and gives a region away, to
/// whom the region's `receivers` allow; it is wiped on the way. A gate may be called by whom its `callers` allow.
///
/// A gate's arguments are judged before the callee sees them: values have a limit, a span must lie in memory that the caller
/// itself may read or write. Spans are copied to the gate's buffer, and back when it is left: so neither side sees memory
/// of the other, and nobody changes an argument after it was judged. Then the buffer is wiped. Registers that a gate does not use
/// arrive as 0. A gate serves one call at a time.
///
/// What domains cannot be held to by this alone:
///
///   - An allocator runs with the kernel's rights. If its books lay where its domain writes, that could make it write
///     anywhere. So take one that keeps them beside its blocks (pool, buddy); init refuses one whose object lies in a region.
///   - A region that has receivers is not for an allocator: whoever gives away what it hands out makes it look broken, and that
///     is METE_FAULT_CORRUPT. Let the handler return here, too.
///   - A double free is noticed by the domain's allocator, by METE_FAULT. If that stops the program, one domain stops all:
///     let the handler return.
///   - Other bus masters are not held to plans: DMA controllers belong to the kernel, or to a domain of the highest level.
///
///   Time     switch: O(regions of the plan): at most 80 instructions for 4 on a Cortex-M. enter, leave: that, O(regions) for
///            each span, and O(bytes of the spans). acquire, release, resize, allows: O(regions), and the allocator.
///            init and transfer: O(regions^2), and what mete_plan_init() takes, twice for each domain.
///   Space    One mete_domain_t, three words for each domain, eight for each gate, three for each task, a byte for each
///            region, and the tables of the plans.
///   Align    Regions and gates' buffers start and end where the hardware can have an end; the buffer at a multiple of 8.
///   Threads  The kernel's: calls exclude each other. One core.
///   Errors   What a domain may not do is ordinary here: an answer, counted, told to the observer as METE_EVENT_FAULT with
///            METE_FAULT_ACCESS, kept for mete_domain_last(), and nothing has changed. BUSY and FULL are told as
///            METE_EVENT_REFUSE. An allocator that hands out what is not its domain's: METE_FAULT_CORRUPT.
///
/// This is a reference monitor (Anderson, Computer Security Technology Planning Study, 1972); that nobody reads upwards is the
/// first rule of Bell and LaPadula (Secure Computer Systems, 1973). That nobody writes upwards either, nor downwards, is
/// stricter than theirs.

#include "mete/core/alloc.h"
#include "mete/core/mpu.h"
#include "mete/core/observe.h"
#include "mete/core/span.h"
#include "mete/protect/plan.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Most domains: each has a bit in a mask.
#define METE_DOMAIN_MAX 32U

/// The owner of what all domains have.
#define METE_DOMAIN_COMMON 0xFFU

/// Most regions, and gates.
#define METE_DOMAIN_REGION_MAX METE_PLAN_WISH_MAX
#define METE_DOMAIN_GATE_MAX   254U

/// Registers that a call of a gate hands over.
#define METE_DOMAIN_ARGUMENT_MAX 4U

/// Spans stand at multiples of this in a gate's buffer, so far apart as their limits say.
#define METE_DOMAIN_BUFFER_ALIGN 8U

/// Who but its owner has a region.
typedef enum mete_domain_isolation {
    METE_DOMAIN_EXCLUSIVE = 0,  ///< Nobody.
    METE_DOMAIN_READ_SHARED,    ///< Domains of at least the owner's level read it.
    METE_DOMAIN_GATE_ONLY       ///< Nobody; and the owner itself only in its gates: keys.
} mete_domain_isolation_t;

/// A region of memory. No two may overlap.
typedef struct mete_domain_region {
    const char *name;  ///< For people.
    uintptr_t start;
    size_t size;     ///< In bytes, at least 1.
    uint8_t owner;   ///< At init; or METE_DOMAIN_COMMON.
    uint8_t rights;  ///< Of the owner: mete_access_t values; not both to write and to execute.
    mete_domain_isolation_t isolation;
    mete_mpu_memory_t memory;
    uint32_t
        receivers;  ///< A bit for each domain that its owner may give it to. Needs the rights to
                    ///< read and write.
} mete_domain_region_t;

/// Where a plan of a domain is kept: tables as in mete_plan_config_t. Must not lie in a region that a domain writes.
typedef struct mete_domain_books {
    mete_plan_wish_t *wishes;   ///< wish_max of them,
    mete_plan_share_t *shares;  ///< and as many of these.
    size_t
        wish_max;  ///< Regions that the domain may have at once, common and read-shared ones, too.
    mete_mpu_image_t *images;   ///< image_max of them,
    mete_plan_range_t *ranges;  ///< and as many of these.
    size_t image_max;
    mete_plan_config_t config;  // From here on: written by init.
    mete_plan_t plan;
} mete_domain_books_t;

/// A domain. Its number is its place in the table.
typedef struct mete_domain_member {
    const char *name;    ///< For people.
    uint8_t level;       ///< Higher is more secret.
    mete_alloc_t alloc;  ///< Hands out memory in its regions, to it alone. {NULL, NULL}: none.
    mete_domain_books_t *books;
    mete_domain_books_t *
        gate_books;  ///< While a gate of it is inside; only if it may have gate-only regions, else NULL.
} mete_domain_member_t;

/// What an argument of a gate is.
typedef enum mete_domain_argument_kind {
    METE_DOMAIN_UNUSED = 0,  ///< The callee gets 0.
    METE_DOMAIN_VALUE,       ///< A number.
    METE_DOMAIN_IN,      ///< Address of bytes for the callee: the caller must be able to read them.
    METE_DOMAIN_OUT,     ///< Of bytes that the callee fills: the caller must be able to write them.
    METE_DOMAIN_IN_OUT,  ///< Both.
    METE_DOMAIN_SIZE     ///< How many bytes: follows each of the three.
} mete_domain_argument_kind_t;

typedef struct mete_domain_argument {
    uint8_t kind;     ///< A mete_domain_argument_kind_t.
    uintptr_t limit;  ///< Of a value and a size: the highest that is let through.
} mete_domain_argument_t;

/// A gate. Its number is its place in the table.
typedef struct mete_domain_gate {
    const char *name;  ///< For people.
    uintptr_t entry;   ///< What the kernel jumps to. Here it is only kept.
    uint8_t domain;    ///< Whose it is.
    uint32_t callers;  ///< A bit for each domain that may call it.
    mete_span_t
        buffer;  ///< In a region of its domain that it writes, is not read-shared and cannot be given away. As large as the limits
                 ///< of all sizes, each rounded up to METE_DOMAIN_BUFFER_ALIGN.
    mete_domain_argument_t arguments[METE_DOMAIN_ARGUMENT_MAX];
} mete_domain_gate_t;

/// How often. All wrap.
typedef struct {
    size_t switch_count;   ///< Began to run: switch, enter and leave.
    size_t call_count;     ///< Entered a gate of another domain or of itself.
    size_t refusal_count;  ///< Tried what it may not do.
} mete_domain_usage_t;

/// Where a task is. Three words; add fills them in. Its plan is what a fault handler asks.
typedef struct mete_domain_task {
    const mete_plan_t *plan;     ///< Of where it is now.
    mete_domain_usage_t *usage;  // Likewise.
    uint8_t domain;              // Where that is,
    uint8_t home;                // where it belongs,
    uint8_t gate;                // and the gate that it is in.
} mete_domain_task_t;

/// Written by a gate that serves. Private.
typedef struct mete_domain_call {
    mete_domain_task_t *task;  // NULL: it is free.
    uint8_t domain;            // Whence the task came,
    uint8_t gate;              // and the gate that it was in there.
    uintptr_t arguments[METE_DOMAIN_ARGUMENT_MAX];
} mete_domain_call_t;

/// It must outlive the module; const is best.
typedef struct mete_domain_config {
    const mete_domain_member_t *members;
    size_t member_count;  ///< 1 ... METE_DOMAIN_MAX.
    const mete_domain_region_t *regions;
    size_t region_count;  ///< 1 ... METE_DOMAIN_REGION_MAX.
    const mete_domain_gate_t *gates;
    size_t gate_count;            ///< 0 ... METE_DOMAIN_GATE_MAX.
    uint8_t *owners;              ///< region_count of them,
    mete_domain_call_t *calls;    ///< gate_count of these,
    mete_domain_usage_t *usages;  ///< and member_count of these: the module's from init on.
    const mete_plan_backend_t *backend;
    mete_mpu_t mpu;  ///< {NULL, NULL}: there is no hardware, only judgement.
    mete_observer_t
        observer;  ///< Hears METE_EVENT_SWITCH, ACQUIRE, RELEASE, RESIZE, REFUSE and FAULT.
} mete_domain_config_t;

/// What was asked for.
typedef enum mete_domain_request {
    METE_DOMAIN_NOTHING = 0,
    METE_DOMAIN_CALL,
    METE_DOMAIN_LEAVE,
    METE_DOMAIN_ACQUIRE,
    METE_DOMAIN_RELEASE,
    METE_DOMAIN_RESIZE,
    METE_DOMAIN_TRANSFER
} mete_domain_request_t;

/// What became of it.
typedef enum mete_domain_answer {
    METE_DOMAIN_DONE = 0,
    METE_DOMAIN_ABSENT,     ///< There is no such gate, region or domain; or it is in no gate.
    METE_DOMAIN_FORBIDDEN,  ///< The policy says no.
    METE_DOMAIN_WILD,  ///< An argument is beyond its limit, or leads where the caller has no rights.
    METE_DOMAIN_BUSY,  ///< The gate serves another call.
    METE_DOMAIN_FULL   ///< No memory; or the receiver's plan does not take the region.
} mete_domain_answer_t;

/// The last refusal.
typedef struct mete_domain_refusal {
    mete_domain_request_t request;
    mete_domain_answer_t answer;
    uint8_t caller;  ///< Who asked,
    uint8_t
        owner;  ///< and whose it is: of a gate, of an address. METE_DOMAIN_COMMON: nobody's, or everybody's.
    uintptr_t address;  ///< What it was about: an address, or the number of a gate or a region.
} mete_domain_refusal_t;

/// The fields are here so that it can be static.
typedef struct mete_domain {
    mete_domain_task_t *running;
    mete_mpu_t mpu;
    mete_observer_t observer;
    mete_event_t
        switched;  // What the observer heard last of domains that run; its size is the domain.
    const mete_domain_config_t *config;
    mete_domain_refusal_t last;
} mete_domain_t;

/// What is wrong with a config.
typedef enum mete_domain_verdict {
    METE_DOMAIN_READY = 0,
    METE_DOMAIN_NO_TABLE,    ///< A table is missing, or has more entries than there may be.
    METE_DOMAIN_BAD_REGION,  ///< region: it breaks a limit stated above.
    METE_DOMAIN_OVERLAP,     ///< region: it shares bytes with `other`.
    METE_DOMAIN_BAD_MEMBER,  ///< member: no name; an allocator that `other` has, too; no books, or some that another one has, too; a
                             ///< gate-only region and no gate_books.
    METE_DOMAIN_BAD_GATE,    ///< gate: it breaks a limit stated above.
    METE_DOMAIN_EXPOSED,  ///< region: a domain could write over the module's tables or an allocator's.
    METE_DOMAIN_NO_PLAN,  ///< member: `plan` says why, or it has more regions than wishes.
    METE_DOMAIN_NO_MPU    ///< The hardware is of another kind.
} mete_domain_verdict_t;

/// The first that applies, and about whom it is.
typedef struct mete_domain_result {
    mete_domain_verdict_t verdict;
    size_t index;             ///< Of the region, member or gate;
    size_t other;             ///< of the other one.
    mete_plan_result_t plan;  ///< METE_DOMAIN_NO_PLAN.
} mete_domain_result_t;

/// Makes all plans. The hardware is not touched. Unless the verdict is READY, the module must not be used.
mete_domain_result_t mete_domain_init(mete_domain_t *domains, const mete_domain_config_t *config);

/// Makes a task one of a domain. False, changing nothing, if there is no such domain, or one could write over `task`.
bool mete_domain_add(const mete_domain_t *domains, mete_domain_task_t *task, size_t home);

// ---- Who runs

/// From now on it is this task that runs, where it is. For the scheduler.
void mete_domain_switch(mete_domain_t *domains, mete_domain_task_t *task);

/// The task that runs calls gate number `gate`. DONE: it is in the gate's domain now, and `arguments` are those for the
/// callee. Else ABSENT, FORBIDDEN, WILD or BUSY, and nothing has changed.
mete_domain_answer_t mete_domain_enter(mete_domain_t *domains, size_t gate,
                                       uintptr_t arguments[METE_DOMAIN_ARGUMENT_MAX]);

/// The task that runs comes back from the gate that it entered last. What the callee filled is copied to where the caller may still
/// write. ABSENT: it is in none.
mete_domain_answer_t mete_domain_leave(mete_domain_t *domains);

/// Takes a task out of all gates that it is in, without results: it was killed, or is to start anew, at home.
void mete_domain_reset(mete_domain_t *domains, mete_domain_task_t *task);

// ---- What the task that runs asks for

/// True if it may do all of `access`, mete_access_t values joined, to all bytes. They must be in one region; none is
/// allowed everywhere.
bool mete_domain_allows(const mete_domain_t *domains, uintptr_t start, size_t size,
                        uint32_t access);

/// Memory of its domain's allocator. NULL: there is none, or size or alignment are illegal.
void *mete_domain_acquire(mete_domain_t *domains, size_t size, size_t align);

/// Gives memory back to it: FORBIDDEN unless the domain has all of the block.
mete_domain_answer_t mete_domain_release(mete_domain_t *domains, void *block, size_t size,
                                         size_t align);

/// Changes the size of a block where it stands. FORBIDDEN unless the domain has all of it; FULL: there is no room.
mete_domain_answer_t mete_domain_resize(mete_domain_t *domains, void *block, size_t old_size,
                                        size_t new_size, size_t align);

/// Gives region number `region` to domain number `receiver`; all its bytes are 0 then. FULL: a plan does not take it.
mete_domain_answer_t mete_domain_transfer(mete_domain_t *domains, size_t region, size_t receiver);

// ---- What is known

/// The number of the domain that runs, or METE_DOMAIN_COMMON before the first switch. `self` is a mete_domain_t: fits the
/// callbacks that ask for an owner.
uint32_t mete_domain_owner(void *self);

/// Whose an address is; METE_DOMAIN_COMMON: nobody's, or everybody's. O(regions).
uint8_t mete_domain_owner_of(const mete_domain_t *domains, uintptr_t address);

/// How often a domain did what; all 0 if there is no such domain.
mete_domain_usage_t mete_domain_usage(const mete_domain_t *domains, size_t domain);

/// The last request that was refused, or NULL.
const mete_domain_refusal_t *mete_domain_last(const mete_domain_t *domains);

/// True if all plans still say what the policy says, and the running task is where its calls say. Changes and reports
/// nothing. O(domains * regions^2).
bool mete_domain_check(const mete_domain_t *domains);

/// Books `name` for plans of up to `wish_count` regions, in `image_count` of the hardware, with their tables. At file scope.
#define METE_DOMAIN_BOOKS_DEFINE(name, wish_count, image_count) \
    static mete_plan_wish_t name##_wishes[(wish_count)]; \
    static mete_plan_share_t name##_shares[(wish_count)]; \
    static mete_mpu_image_t name##_images[(image_count)]; \
    static mete_plan_range_t name##_ranges[(image_count)]; \
    static mete_domain_books_t name = {.wishes = name##_wishes, \
                                       .shares = name##_shares, \
                                       .wish_max = (wish_count), \
                                       .images = name##_images, \
                                       .ranges = name##_ranges, \
                                       .image_max = (image_count)}

#ifdef __cplusplus
}
#endif
#endif
