// Its first source makes this go.
