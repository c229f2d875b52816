/* Puts the files that compile_rules wrote into the program. */
    .section .rodata
    .balign 64
    .globl kScannerBuiltinRulesBegin
    .globl kScannerBuiltinRulesEnd
    .globl kScannerBuiltinDatabaseBegin
    .globl kScannerBuiltinDatabaseEnd
kScannerBuiltinRulesBegin:
    .incbin BUILTIN_RULES
kScannerBuiltinRulesEnd:
    .balign 64
kScannerBuiltinDatabaseBegin:
    .incbin BUILTIN_DATABASE
kScannerBuiltinDatabaseEnd:
    .section .note.GNU-stack,"",%progbits
