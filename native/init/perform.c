/* The switch from opcodes to functions. */
#include "child.h"

#define CASE(code, name)                                                                           \
    case code: {                                                                                   \
        struct fx_##name fields;                                                                   \
        if (!read_fx_##name(&op->fields, &fields))                                                 \
            return -EPROTO;                                                                        \
        return child ? op_##name(child, &fields) : 0;                                              \
    }

#define CASE_WITHOUT_FIELDS(code, name)                                                            \
    case code:                                                                                     \
        return child ? op_##name(child) : 0;

int perform(struct child *child, struct fx_op *op)
{
    switch (op->opcode) {
        FX_EACH_OP(CASE)
        FX_EACH_EMPTY_OP(CASE_WITHOUT_FIELDS)
    }
    return -EPROTO;
}
