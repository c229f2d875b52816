/* Puts the files that compile_rules wrote into the program. */
    .section .rodata
    .balign 64
    .globl scanner_builtin_rules_begin
    .globl scanner_builtin_rules_end
    .globl scanner_builtin_database_begin
    .globl scanner_builtin_database_end
scanner_builtin_rules_begin:
    .incbin BUILTIN_RULES
scanner_builtin_rules_end:
    .balign 64
scanner_builtin_database_begin:
    .incbin BUILTIN_DATABASE
scanner_builtin_database_end:
    .section .note.GNU-stack,"",%progbits
